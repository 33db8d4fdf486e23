"""An authentication agent for the program that it becomes: dismisses every question, as a person does with Esc.

The agent answers in a child. The parent registers it for itself with polkit and is then replaced by the program, so that
the process that polkit knows is the one that asks.
"""

import os
import sys

import dbus
import dbus.mainloop.glib
import dbus.service
from gi.repository import GLib

AUTHORITY = "org.freedesktop.PolicyKit1"
PATH = "/org/cwts/agent"


class Dismissed(dbus.DBusException):
    _dbus_error_name = "org.freedesktop.PolicyKit1.Error.Cancelled"


class Agent(dbus.service.Object):
    @dbus.service.method("org.freedesktop.PolicyKit1.AuthenticationAgent", in_signature="sssa{ss}sa(sa{sv})")
    def BeginAuthentication(self, action, message, icon, details, cookie, identities):
        raise Dismissed("dismissed")

    @dbus.service.method("org.freedesktop.PolicyKit1.AuthenticationAgent", in_signature="s")
    def CancelAuthentication(self, cookie):
        pass


def start_time(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
        # proc_pid_stat(5): the name may hold blanks; the start is the field 22.
        return int(stat.read().rsplit(") ", 1)[1].split()[19])


asker = os.getpid()
read, write = os.pipe()
if os.fork() == 0:
    dbus.mainloop.glib.DBusGMainLoop(set_as_default=True)
    bus = dbus.SystemBus()
    agent = Agent(bus, PATH)
    subject = ("unix-process", {"pid": dbus.UInt32(asker), "start-time": dbus.UInt64(start_time(asker)), "uid": dbus.Int32(os.getuid())})
    authority = dbus.Interface(bus.get_object(AUTHORITY, "/org/freedesktop/PolicyKit1/Authority"), f"{AUTHORITY}.Authority")
    authority.RegisterAuthenticationAgent(subject, "C", PATH)
    os.write(write, b".")
    # Ends with the program, whose pipe it holds no end of.
    GLib.timeout_add(100, lambda: os.path.exists(f"/proc/{asker}") or sys.exit())
    for descriptor in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), descriptor)
    GLib.MainLoop().run()
os.close(write)
assert os.read(read, 1) == b".", "the agent is registered"
os.close(read)
os.execv(sys.argv[1], sys.argv[1:])
