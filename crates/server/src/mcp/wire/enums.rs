//! The words of the wire for the domain's enums.

use cwts_domain::{OrderStatus, OrderType, Side, TimeInForce};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! wire_enum {
    ($(#[$doc:meta])* $name:ident = $domain:ident, $case:literal, { $($variant:ident),* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Deserialize, Serialize, JsonSchema)]
        #[serde(rename_all = $case)]
        pub(crate) enum $name { $($variant),* }

        impl From<$name> for $domain {
            fn from(wire: $name) -> Self {
                match wire { $($name::$variant => Self::$variant),* }
            }
        }

        impl From<$domain> for $name {
            fn from(domain: $domain) -> Self {
                match domain { $($domain::$variant => Self::$variant),* }
            }
        }
    };
}

wire_enum! {
    /// Buy or sell.
    WireSide = Side, "snake_case", { Buy, Sell }
}

wire_enum! {
    /// A market order trades at once at the best prices; a limit order at its price or better. A stop order becomes a
    /// market order, a stop_limit order a limit order, once the last price reaches its stop price.
    WireOrderType = OrderType, "snake_case", { Market, Limit, Stop, StopLimit }
}

wire_enum! {
    /// How long an order may rest.
    WireTimeInForce = TimeInForce, "UPPERCASE", { Gtc, Ioc, Fok, Day }
}

wire_enum! {
    /// Where an order is in its life.
    WireStatus = OrderStatus, "snake_case", { Held, Open, PartiallyFilled, Filled, Cancelled }
}
