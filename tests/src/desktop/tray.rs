//! A tray of its own on the session bus: the watcher that desktops run, and the eyes and the mouse of a person.
//!
//! Speaks the StatusNotifierItem protocol (freedesktop.org, "Status Notifier") and `com.canonical.dbusmenu`.

use std::collections::HashMap;

use futures_util::StreamExt as _;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use zbus::message::Header;
use zbus::object_server::SignalEmitter;
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Proxy, interface};

use super::session::Desktop;
use crate::deadline::within;

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const WATCHER_PATH: &str = "/StatusNotifierWatcher";
const ITEM: &str = "org.kde.StatusNotifierItem";
const ITEM_PATH: &str = "/StatusNotifierItem";
const MENU: &str = "com.canonical.dbusmenu";

/// One entry of a menu as it comes over the bus: id, properties, children.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

struct Registry {
    items: Vec<String>,
    registered: UnboundedSender<String>,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Registry {
    async fn register_status_notifier_item(
        &mut self,
        service: String,
        #[zbus(header)] header: Header<'_>,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> zbus::fdo::Result<()> {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // A path stands for the sender at that path, a name for the item at the usual one.
        let name = if service.starts_with('/') { sender } else { service };
        self.items.push(format!("{name}{ITEM_PATH}"));
        Self::status_notifier_item_registered(&emitter, &name).await?;
        self.registered.send(name).map_err(|_| zbus::fdo::Error::Failed("the test has ended".to_owned()))
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        self.items.clone()
    }

    #[zbus(signal)]
    async fn status_notifier_item_registered(emitter: &SignalEmitter<'_>, service: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn status_notifier_host_registered(emitter: &SignalEmitter<'_>) -> zbus::Result<()>;
}

/// The tray of the desktop. Gone when it is dropped.
#[derive(Debug)]
pub struct Watcher {
    bus: Connection,
    registered: UnboundedReceiver<String>,
}

impl Watcher {
    /// Puts a tray on the bus.
    ///
    /// # Panics
    /// There is one already.
    pub async fn start(desktop: &Desktop) -> Self {
        let bus = desktop.connect().await;
        let (sender, registered) = unbounded_channel();
        let registry = Registry { items: Vec::new(), registered: sender };
        bus.object_server().at(WATCHER_PATH, registry).await.expect("the path is free");
        within("the name of the tray", bus.request_name(WATCHER)).await.expect("there is no other tray");
        Self { bus, registered }
    }

    /// Waits for the next icon.
    ///
    /// # Panics
    /// None comes in time.
    pub async fn item(&mut self) -> TrayItem {
        let name = within("an icon in the tray", self.registered.recv()).await.expect("the tray is there");
        TrayItem { item: self.proxy(&name, ITEM_PATH, ITEM).await, menu: self.menu_of(&name).await }
    }

    async fn menu_of(&self, name: &str) -> Proxy<'static> {
        let item = self.proxy(name, ITEM_PATH, ITEM).await;
        let path = item.get_property::<OwnedObjectPath>("Menu").await.expect("an icon has a menu");
        self.proxy(name, path.as_str(), MENU).await
    }

    async fn proxy(&self, name: &str, path: &str, interface: &'static str) -> Proxy<'static> {
        let builder = zbus::proxy::Builder::<Proxy<'static>>::new(&self.bus).destination(name.to_owned());
        let builder = builder.and_then(|builder| builder.path(path.to_owned())?.interface(interface));
        // What the tray shows must be what the program says now.
        let proxy = builder.expect("valid names").cache_properties(CacheProperties::No).build();
        within("the icon's owner", proxy).await.expect("the bus knows the icon")
    }
}

/// What the mouse over an icon shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tooltip {
    /// The first line.
    pub title: String,
    /// The rest.
    pub text: String,
}

/// An entry of the menu.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    id: i32,
    /// The words of the menu that it is in; empty in the topmost one.
    pub menu: String,
    /// The words; empty for a line between groups.
    pub label: String,
    /// Whether it can be chosen.
    pub enabled: bool,
}

/// The panel's icon in the tray.
#[derive(Debug)]
pub struct TrayItem {
    item: Proxy<'static>,
    menu: Proxy<'static>,
}

impl TrayItem {
    /// A property that is text.
    ///
    /// # Panics
    /// There is none of that name.
    pub async fn text(&self, property: &str) -> String {
        let text = within(property, self.item.get_property::<String>(property)).await;
        text.unwrap_or_else(|error| panic!("{property}: {error}"))
    }

    /// The tooltip.
    ///
    /// # Panics
    /// The icon has gone.
    pub async fn tooltip(&self) -> Tooltip {
        type Tip = (String, Vec<Pixmap>, String, String);
        let value = within("the tooltip", self.item.get_property::<OwnedValue>("ToolTip")).await;
        let (_, _, title, text) = read::<Tip>(value.expect("an icon has a tooltip"));
        Tooltip { title, text }
    }

    /// The pictures of the icon.
    ///
    /// # Panics
    /// The icon has gone.
    pub async fn pixmaps(&self) -> Vec<Pixmap> {
        let value = within("the picture", self.item.get_property::<OwnedValue>("IconPixmap")).await;
        read(value.expect("an icon has a picture"))
    }

    /// Waits for a tooltip that says `text`, among other things. Returns everything that it says.
    ///
    /// # Panics
    /// It does not come to that in time.
    pub async fn says(&self, text: &str) -> String {
        let mut changes = self.item.receive_signal("NewToolTip").await.expect("the bus tells of changes");
        let awaited = async {
            loop {
                let tooltip = self.tooltip().await;
                if tooltip.text.contains(text) {
                    return tooltip.text;
                }
                changes.next().await.expect("the bus is there");
            }
        };
        within(&format!("a tooltip that says {text:?}"), awaited).await
    }

    /// Waits for a picture that is not `old`. Returns it.
    ///
    /// # Panics
    /// It does not change in time.
    pub async fn pixmaps_other_than(&self, old: &[Pixmap]) -> Vec<Pixmap> {
        let mut changes = self.item.receive_signal("NewIcon").await.expect("the bus tells of changes");
        let awaited = async {
            loop {
                let pixmaps = self.pixmaps().await;
                if pixmaps != old {
                    return pixmaps;
                }
                changes.next().await.expect("the bus is there");
            }
        };
        within("another picture", awaited).await
    }

    /// The menu from top to bottom, each entry followed by those of its own menu.
    ///
    /// # Panics
    /// The icon has gone, or the menu is not of the protocol's shape.
    pub async fn choices(&self) -> Vec<Choice> {
        let everything = (0, -1, Vec::<&str>::new());
        let layout = self.menu.call::<_, _, (u32, Layout)>("GetLayout", &everything);
        let (_, (_, _, entries)) = within("the menu", layout).await.expect("the menu has a layout");
        let mut found = Vec::new();
        entries.into_iter().for_each(|entry| collect(read(entry), "", &mut found));
        found
    }

    /// Waits for an entry that can be chosen, and chooses it. An icon that goes away on that is no fault.
    ///
    /// # Panics
    /// There is no such entry in time.
    pub async fn choose(&self, label: &str) {
        self.choose_in(|menu| menu.is_empty(), label).await;
    }

    /// The same in the menu of an instance.
    ///
    /// # Panics
    /// There is no such entry in time.
    pub async fn choose_of(&self, instance: &str, label: &str) {
        let start = format!("{instance}: ");
        self.choose_in(|menu| menu.starts_with(&start), label).await;
    }

    async fn choose_in(&self, is_menu: impl Fn(&str) -> bool, label: &str) {
        let mut changes = self.menu.receive_signal("LayoutUpdated").await.expect("the bus tells of changes");
        let mut more = self.menu.receive_signal("ItemsPropertiesUpdated").await.expect("the bus tells of changes");
        let awaited = async {
            loop {
                let choices = self.choices().await;
                if let Some(found) = choices.into_iter().find(|it| is_menu(&it.menu) && it.label == label && it.enabled)
                {
                    return found.id;
                }
                tokio::select! {
                    change = changes.next() => change,
                    change = more.next() => change,
                }
                .expect("the bus is there");
            }
        };
        let id = within(&format!("{label} in the menu"), awaited).await;
        let clicked = self.menu.call_method("Event", &(id, "clicked", Value::from(0), 0_u32)).await;
        let gone = ["NoReply", "UnknownObject", "ServiceUnknown"];
        if let Err(error) = clicked {
            assert!(gone.iter().any(|name| error.to_string().contains(name)), "{label} cannot be chosen: {error}");
        }
    }

    /// Clicks the icon itself.
    ///
    /// # Panics
    /// The icon has gone.
    pub async fn click(&self) {
        within("a click", self.item.call_method("Activate", &(0, 0))).await.expect("an icon takes clicks");
    }
}

/// Width, height and the pixels, alpha first.
pub type Pixmap = (i32, i32, Vec<u8>);

fn collect((id, properties, children): Layout, menu: &str, found: &mut Vec<Choice>) {
    let label = properties.get("label").and_then(|label| label.downcast_ref::<String>().ok()).unwrap_or_default();
    // What has the default value is left out (dbusmenu specification, "Properties").
    let enabled = properties.get("enabled").is_none_or(|enabled| enabled.downcast_ref::<bool>().unwrap_or(true));
    found.push(Choice { id, menu: menu.to_owned(), label: label.clone(), enabled });
    children.into_iter().for_each(|child| collect(read(child), &label, found));
}

fn read<T: TryFrom<Value<'static>>>(value: OwnedValue) -> T {
    T::try_from(Value::from(value)).unwrap_or_else(|_| panic!("the value is not of the protocol's shape"))
}
