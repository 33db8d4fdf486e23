//! A small exchange for the tests of this crate: two rich clients and short ways to trade. Audits after every command.

use cwts_domain::{
    AccountId, Cash, ClientOrderId, Command, Event, Instrument, Lots, OrderId, PlaceOrder, Reject, Side, Ticks,
    TimeInForce, Timestamp,
};

use crate::{Account, Exchange, OpeningAccount, Order};

pub(crate) const ALICE: AccountId = AccountId(1);
pub(crate) const BOB: AccountId = AccountId(2);
/// An account without limits and without a history.
pub(crate) const ROBOT: AccountId = AccountId(3);

pub(crate) struct Desk {
    pub(crate) exchange: Exchange,
    pub(crate) now: Timestamp,
}

impl Desk {
    /// Nobody meets a limit by accident.
    pub(crate) fn rich() -> Self {
        Self::with_cash(Cash(1_000_000_000))
    }

    /// Every client opens with `cash`.
    pub(crate) fn with_cash(cash: Cash) -> Self {
        Self::of([
            OpeningAccount::client(ALICE, cash),
            OpeningAccount::client(BOB, cash),
            OpeningAccount::simulator(ROBOT, cash),
        ])
    }

    pub(crate) fn of(accounts: impl IntoIterator<Item = OpeningAccount>) -> Self {
        Self { exchange: Exchange::new(Instrument::btcusd(), accounts), now: Timestamp(0) }
    }

    pub(crate) fn send(&mut self, command: Command) -> Result<Vec<Event>, Reject> {
        self.now.0 += 1;
        let before = self.exchange.sequence();
        let result = self.exchange.execute(&command, self.now);
        let count = result.as_ref().map_or(0, Vec::len) as u64;
        assert_eq!(self.exchange.sequence(), before + count, "the sequence must count the events, or gaps go unseen");
        assert_eq!(self.exchange.audit(), Ok(()), "the state must be consistent after {command:?}");
        result
    }

    pub(crate) fn place(&mut self, order: PlaceOrder) -> Result<Vec<Event>, Reject> {
        self.send(Command::Place(order))
    }

    /// Places an order that must be accepted, and gives its id.
    pub(crate) fn accepted(&mut self, order: PlaceOrder) -> OrderId {
        match self.place(order).unwrap().first() {
            Some(Event::Accepted { order_id, .. }) => *order_id,
            other => panic!("an order must begin with its acceptance, not {other:?}"),
        }
    }

    pub(crate) fn order(&self, id: OrderId) -> &Order {
        self.exchange.order(id).unwrap()
    }

    pub(crate) fn account(&self, id: AccountId) -> &Account {
        self.exchange.account(id).unwrap()
    }

    /// Bids and asks as plain numbers, best first.
    pub(crate) fn book(&self) -> [Vec<(i64, i64)>; 2] {
        [Side::Buy, Side::Sell].map(|side| {
            self.exchange.depth(side, usize::MAX).into_iter().map(|(price, lots)| (price.0, lots.0)).collect()
        })
    }
}

pub(crate) fn buy(account: AccountId, quantity: i64, price: i64) -> PlaceOrder {
    order(account, Side::Buy, quantity, Some(price))
}

pub(crate) fn sell(account: AccountId, quantity: i64, price: i64) -> PlaceOrder {
    order(account, Side::Sell, quantity, Some(price))
}

pub(crate) fn market(account: AccountId, side: Side, quantity: i64) -> PlaceOrder {
    order(account, side, quantity, None)
}

pub(crate) fn order(account: AccountId, side: Side, quantity: i64, limit: Option<i64>) -> PlaceOrder {
    PlaceOrder {
        account,
        symbol: "BTCUSD".to_owned(),
        side,
        limit: limit.map(Ticks),
        quantity: Lots(quantity),
        time_in_force: TimeInForce::Gtc,
        client_order_id: None,
    }
}

pub(crate) fn lasting(order: PlaceOrder, time_in_force: TimeInForce) -> PlaceOrder {
    PlaceOrder { time_in_force, ..order }
}

pub(crate) fn named(order: PlaceOrder, name: &str) -> PlaceOrder {
    PlaceOrder { client_order_id: Some(ClientOrderId(name.to_owned())), ..order }
}

/// Price and quantity of the trades among events.
pub(crate) fn trades(events: &[Event]) -> Vec<(i64, i64)> {
    let traded = |event: &Event| match event {
        Event::Traded { price, quantity, .. } => Some((price.0, quantity.0)),
        _ => None,
    };
    events.iter().filter_map(traded).collect()
}
