//! The panel's window as a person uses it, through WebDriver.
//!
//! Finds elements by their `data-testid`. Waits inside the page, for changes of it, and not by asking again and again.

use std::process::Stdio;
use std::time::Duration;

use fantoccini::actions::{InputSource as _, KeyAction, KeyActions};
use fantoccini::elements::Element;
use fantoccini::wd::{Capabilities, TimeoutConfiguration};
use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};

use super::panel;
use super::process::Process;
use super::session::Desktop;
use crate::deadline::{DEADLINE, until, within};
use crate::home::Home;
use crate::ports::{free_port, refuses};

/// How long a panel may take from its start to a page that can be asked, on a machine that also compiles.
const LAUNCH_DEADLINE: Duration = Duration::from_secs(60);

/// Calls back with what `look` returns, as soon as that is something.
const WAIT: &str = "const [args, done] = arguments;
const look = () => { LOOK };
const found = look();
if (found) return done(found);
const observer = new MutationObserver(() => {
    const found = look();
    if (!found) return;
    observer.disconnect();
    done(found);
});
observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });";

/// Calls back as soon as the page has the size.
const RESIZED: &str = "const [[width, height], done] = arguments;
const look = () => {
    if (innerWidth !== width || innerHeight !== height) return;
    removeEventListener('resize', look);
    done(true);
};
addEventListener('resize', look);
look();";

/// The driver takes what the edge of the page cuts off, above the messages, for what is in view, and clicks beside it.
const TO_THE_MIDDLE: &str = "one.scrollIntoView({ block: 'center', inline: 'nearest' }); return true;";

/// What a person who looks for a fault asks first.
const PAGE: &str = "const { body, readyState, visibilityState } = document;
return `${location.href}, ${readyState}, ${visibilityState}\\n${body.innerText || body.innerHTML}`;";

/// A frame that was asked for now is painted when the second next one begins.
const PAINTED: &str = "const [done] = arguments; requestAnimationFrame(() => requestAnimationFrame(() => done(true)));";

/// Scrolls the element for three seconds, and two frames at least, and calls back with the times between frames in milliseconds, sorted.
const SCROLL: &str = "const [selector, done] = arguments;
const box = document.querySelector(selector);
const times = [];
let last = null;
const start = performance.now();
const step = (now) => {
    if (last !== null) times.push(now - last);
    last = now;
    box.scrollTop = (box.scrollTop + 200) % Math.max(1, box.scrollHeight - box.clientHeight);
    if (now - start < 3000 || times.length < 2) requestAnimationFrame(step);
    else done(times.sort((a, b) => a - b));
};
requestAnimationFrame(step);";

/// A panel with somebody at its window. Both are killed when this is dropped.
#[derive(Debug)]
pub struct Window {
    client: Client,
    driver: Process,
}

impl Window {
    /// Starts the panel of `home` with more arguments, and waits for its page.
    ///
    /// # Panics
    /// It was not built, or shows no page in time.
    pub async fn open(desktop: &Desktop, home: &Home, arguments: &[&str]) -> Self {
        let port = free_port();
        let mut command = desktop.command("WebKitWebDriver");
        command.arg(format!("--port={port}")).arg("--host=127.0.0.1").stdout(Stdio::null());
        command.env("TAURI_WEBVIEW_AUTOMATION", "true");
        let driver = desktop.start_program("WebKitWebDriver", &mut command);
        until("WebKitWebDriver", async || (!refuses(port)).then_some(())).await;

        let options = json!({ "binary": panel::binary(), "args": panel::words(home, arguments) });
        let capabilities = Capabilities::from_iter([("webkitgtk:browserOptions".to_owned(), options)]);
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let url = format!("http://127.0.0.1:{port}");
        let session = tokio::time::timeout(LAUNCH_DEADLINE, builder.capabilities(capabilities).connect(&url)).await;
        let client = session.unwrap_or_else(|_| panic!("the panel did not open within {LAUNCH_DEADLINE:?}"));
        let client = client.unwrap_or_else(|error| panic!("the panel does not open: {error}\n{}", driver.said()));
        let timeouts = TimeoutConfiguration::new(Some(DEADLINE), None, None);
        client.update_timeouts(timeouts).await.expect("the driver takes a deadline");
        let page = client.wait().at_most(LAUNCH_DEADLINE).for_element(Locator::Css(&by_id("run-state"))).await;
        page.unwrap_or_else(|error| panic!("the panel shows no page: {error}\n{}", driver.said()));
        Self { client, driver }
    }

    /// Waits until the element is there.
    ///
    /// # Panics
    /// It does not come in time.
    pub async fn see(&self, id: &str) {
        self.wait(&format!("{id} to appear"), "return !!document.querySelector(args)", json!(by_id(id))).await;
    }

    /// Waits until the element is not there, or no longer.
    ///
    /// # Panics
    /// It stays.
    pub async fn miss(&self, id: &str) {
        self.wait(&format!("{id} to vanish"), "return !document.querySelector(args)", json!(by_id(id))).await;
    }

    /// Waits until one of the elements of that id says `text`, among other things. Returns everything that it says.
    ///
    /// # Panics
    /// None does in time.
    pub async fn says(&self, id: &str, text: &str) -> String {
        let look = "const say = [...document.querySelectorAll(args[0])].map((one) => one.textContent.trim());
            return say.find((words) => words.includes(args[1]));";
        let said = self.wait(&format!("{id} to say {text:?}"), look, json!([by_id(id), text])).await;
        said.as_str().expect("words are text").to_owned()
    }

    /// Waits until the element, or a part of it, is in a state.
    ///
    /// # Panics
    /// It does not come to that in time.
    pub async fn is(&self, id: &str, state: &str) {
        let state = format!("[data-state='{state}']");
        let id = by_id(id);
        let selector = format!("{id}{state}, {id} {state}");
        self.wait(&format!("{selector} to appear"), "return !!document.querySelector(args)", json!(selector)).await;
    }

    /// Whether the button of that id can be pressed now.
    ///
    /// # Panics
    /// It is not there.
    pub async fn offers(&self, id: &str) -> bool {
        let enabled = self.find(&by_id(id)).await.is_enabled().await;
        enabled.expect("the driver tells whether a button is enabled")
    }

    /// Clicks the middle of an element.
    ///
    /// # Panics
    /// It is not there in time, or cannot be clicked.
    pub async fn click(&self, id: &str) {
        self.click_on(&by_id(id)).await;
    }

    /// Clicks the middle of what a CSS selector finds.
    ///
    /// # Panics
    /// As for [`Window::click`].
    pub async fn click_on(&self, selector: &str) {
        // A click on a button that is not enabled yet does nothing, and the driver calls it a success.
        let look = format!(
            "const one = document.querySelector(args);
            if (!one?.matches(':not(:disabled, [aria-disabled=true])')) return false; {TO_THE_MIDDLE}"
        );
        self.wait(&format!("{selector} to be enabled"), &look, json!(selector)).await;
        let clicked = within(&format!("a click on {selector}"), self.find(selector).await.click()).await;
        clicked.unwrap_or_else(|error| panic!("{selector} cannot be clicked: {error}"));
    }

    /// Clicks the button with these words.
    ///
    /// # Panics
    /// There is none in time, or it cannot be clicked.
    pub async fn press(&self, words: &str) {
        let clicked = self.button(words).await.click().await;
        clicked.unwrap_or_else(|error| panic!("{words:?} cannot be clicked: {error}"));
    }

    /// Clicks the button with these words, which ends the panel, and waits for the end of it and all that it started.
    ///
    /// # Panics
    /// There is none in time, or the panel does not end.
    pub async fn press_and_end(self, words: &str) {
        // The panel may be gone before the driver can tell that it clicked.
        self.button(words).await.click().await.ok();
        until("the panel to end", async || (!self.driver.has_descendants()).then_some(())).await;
    }

    /// Replaces what stands in a field by typing.
    ///
    /// # Panics
    /// It is no field, or not there in time.
    pub async fn fill(&self, id: &str, text: &str) {
        self.click(id).await;
        self.chord("\u{e009}a").await;
        self.type_text(text).await;
        let look = "return document.querySelector(args[0]).value === args[1]";
        let filled = self.execute(look, json!([by_id(id), text])).await;
        assert_eq!(filled, true, "{id} must hold what was typed, {text}");
    }

    /// Presses keys at once, wherever the focus is: down in order, and up again. Keys that print nothing have the code
    /// points of WebDriver (section 17.4.2, "Keyboard Actions").
    ///
    /// # Panics
    /// The driver refuses.
    pub async fn chord(&self, keys: &str) {
        let mut actions = KeyActions::new("keyboard".to_owned());
        for key in keys.chars() {
            actions = actions.then(KeyAction::Down { value: key });
        }
        for key in keys.chars().rev() {
            actions = actions.then(KeyAction::Up { value: key });
        }
        within("the keys", self.client.perform_actions(actions)).await.expect("the driver presses keys");
    }

    /// Types, key by key, wherever the focus is.
    ///
    /// # Panics
    /// The driver refuses.
    pub async fn type_text(&self, text: &str) {
        for key in text.chars() {
            self.chord(key.encode_utf8(&mut [0; 4])).await;
        }
    }

    /// Runs a function body in the page, with the value as `args`. Returns what it returns.
    ///
    /// # Panics
    /// It throws.
    pub async fn execute(&self, body: &str, args: Value) -> Value {
        let script = format!("const [args] = arguments; {body}");
        let result = within("a script in the page", self.client.execute(&script, vec![args])).await;
        result.unwrap_or_else(|error| panic!("{body:.200}: {error}"))
    }

    /// Runs a script that calls back through its last argument. Returns what it hands over.
    ///
    /// # Panics
    /// It throws, or does not call in time.
    pub async fn execute_async(&self, script: &str) -> Value {
        let result = self.client.execute_async(script, Vec::new()).await;
        result.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Scrolls what the element holds. Gives the median time of a frame in milliseconds, and that of the slowest twentieth.
    ///
    /// # Panics
    /// There is no such element.
    pub async fn frames(&self, id: &str) -> (f64, f64) {
        let scroll = async || {
            let times = self.client.execute_async(SCROLL, vec![json!(by_id(id))]).await;
            times.unwrap_or_else(|error| panic!("{id} does not scroll: {error}"))
        };
        // The first round meets what costs once.
        scroll().await;
        let times = scroll().await;
        let times: Vec<f64> = times.as_array().expect("the times").iter().filter_map(Value::as_f64).collect();
        (times[times.len() / 2], times[times.len() * 95 / 100])
    }

    /// Makes the page as wide and high as asked, in pixels, and waits until it is laid out for that.
    ///
    /// # Panics
    /// The driver refuses, or the page does not follow in time.
    pub async fn resize(&self, width: u32, height: u32) {
        let resized = within("the new size", self.client.set_window_size(width, height)).await;
        resized.unwrap_or_else(|error| panic!("the window cannot be {width} x {height}: {error}"));
        let followed = self.client.execute_async(RESIZED, vec![json!([width, height])]).await;
        followed.unwrap_or_else(|error| panic!("the page does not become {width} x {height}: {error}"));
        self.execute_async(PAINTED).await;
    }

    /// Waits until the function body `look` over `args` returns something. Returns that.
    ///
    /// # Panics
    /// It does not in time.
    pub async fn wait_for(&self, what: &str, look: &str, args: Value) -> Value {
        self.wait(what, look, args).await
    }

    /// A picture of the page as it is now, as a PNG file.
    ///
    /// # Panics
    /// The window is hidden: nothing is painted then.
    pub async fn picture(&self) -> Vec<u8> {
        self.execute_async(PAINTED).await;
        within("a picture", self.client.screenshot()).await.expect("the driver takes a picture")
    }

    /// Looks in the page until the function body `look` over `args` returns something.
    async fn wait(&self, what: &str, look: &str, args: Value) -> Value {
        let found = self.client.execute_async(&WAIT.replace("LOOK", look), vec![args]).await;
        match found {
            Ok(found) => found,
            Err(error) => {
                let page = self.execute(PAGE, Value::Null).await;
                panic!("waited in vain for {what}: {error}\nThe page:\n{}", page.as_str().unwrap_or_default())
            }
        }
    }

    async fn button(&self, words: &str) -> Element {
        let look = format!(
            "const one = [...document.querySelectorAll('button:not(:disabled, [aria-disabled=true])')]
            .find((one) => one.textContent.trim() === args);
            if (!one) return false; {TO_THE_MIDDLE}"
        );
        self.wait(&format!("the button {words:?}"), &look, json!(words)).await;
        let found = self.client.find(Locator::XPath(&format!("//button[normalize-space() = '{words}']"))).await;
        found.unwrap_or_else(|error| panic!("{words:?} has vanished: {error}"))
    }

    async fn find(&self, selector: &str) -> Element {
        let look = "return !!document.querySelector(args)";
        self.wait(&format!("{selector} to appear"), look, json!(selector)).await;
        let found = self.client.find(Locator::Css(selector)).await;
        found.unwrap_or_else(|error| panic!("{selector} has vanished: {error}"))
    }
}

fn by_id(id: &str) -> String {
    format!("[data-testid='{id}']")
}
