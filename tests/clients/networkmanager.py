"""NetworkManager, as python-dbusmock plays it on the system bus, with three connections. Prints a line when it is there.

    python3 networkmanager.py INTERFACE INTERFACE INTERFACE

The first connection names the zone home, the second one is metered and names none, the third one names none.
"""

import subprocess
import sys

import dbus
import dbusmock

MANAGER = "org.freedesktop.NetworkManager"
SETTINGS = MANAGER + ".Settings"
DEVICE = MANAGER + ".Device"
ACTIVATED = 100
ACTIVE = 2

CONNECTIONS = [("Studio LAN", "11111111", "home"), ("Hotel", "22222222", None), ("Office", "33333333", None)]


def connect(bus, mock, interface, name, uuid, zone):
    device = mock.AddEthernetDevice(interface, interface, ACTIVATED)
    settings = dbus.Interface(bus.get_object(MANAGER, "/org/freedesktop/NetworkManager/Settings"), SETTINGS)
    group = {"id": name, "uuid": uuid, "type": "802-3-ethernet"}
    if zone:
        group["zone"] = zone
    connection = settings.AddConnection({"connection": dbus.Dictionary(group, signature="sv")})
    mock.AddActiveConnection([device], connection, "/", "active" + uuid, ACTIVE)
    return bus.get_object(MANAGER, device)


def main():
    server, manager = dbusmock.DBusTestCase.spawn_server_template("networkmanager", {}, stdout=subprocess.DEVNULL)
    bus = dbusmock.DBusTestCase.get_dbus(system_bus=True)
    mock = dbus.Interface(manager, dbusmock.MOCK_IFACE)
    for interface, (name, uuid, zone) in zip(sys.argv[1:], CONNECTIONS):
        device = connect(bus, mock, interface, name, uuid, zone)
        metered = dbus.UInt32(1 if name == "Hotel" else 2)
        device.AddProperty(DEVICE, "Metered", metered, dbus_interface=dbusmock.MOCK_IFACE)
    print("ready", flush=True)
    server.wait()


main()
