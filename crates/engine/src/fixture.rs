//! A small exchange for the tests of this crate: two rich clients and short ways to trade. Audits after every command.

use cwts_domain::{
    AccountId, Attached, Cash, ClientOrderId, Command, Event, Fees, Instrument, InstrumentId, Lots, ModifyOrder,
    OrderId, PlaceOrder, Reject, Side, StopPrice, Ticks, TimeInForce, Timestamp,
};

use crate::{Account, Exchange, Market, OpeningAccount, Order, Position};

/// The only instrument.
pub(crate) const BTC: InstrumentId = InstrumentId(0);

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
        Self::of([client(ALICE, cash), client(BOB, cash), OpeningAccount::simulator(ROBOT, cash)])
    }

    pub(crate) fn of(accounts: impl IntoIterator<Item = OpeningAccount>) -> Self {
        Self { exchange: Exchange::new([Instrument::btcusd()], accounts), now: Timestamp(0) }
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

    pub(crate) fn position(&self, id: AccountId) -> &Position {
        self.account(id).position(BTC).unwrap()
    }

    pub(crate) fn market(&self) -> &Market {
        &self.exchange.markets()[0]
    }

    pub(crate) fn cancel(&mut self, account: AccountId, order_id: OrderId) -> Result<Vec<Event>, Reject> {
        self.send(Command::Cancel { account, order_id })
    }

    pub(crate) fn modify(&mut self, change: ModifyOrder) -> Result<Vec<Event>, Reject> {
        self.send(Command::Modify(change))
    }

    /// Makes `price` the last price, by a trade between the robot and Bob that leaves nothing behind.
    pub(crate) fn trade_at(&mut self, price: i64) {
        let resting = self.accepted(sell(ROBOT, 1, price));
        self.place(lasting(buy(BOB, 1, price), TimeInForce::Ioc)).unwrap();
        assert_eq!(self.exchange.order(resting).map(Order::remaining), None, "no better ask may be in the way");
    }

    /// Bids and asks as plain numbers, best first.
    pub(crate) fn book(&self) -> [Vec<(i64, i64)>; 2] {
        [Side::Buy, Side::Sell].map(|side| {
            self.market().depth(side, usize::MAX).into_iter().map(|(price, lots)| (price.0, lots.0)).collect()
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
    PlaceOrder { limit: limit.map(Ticks), ..PlaceOrder::market(account, BTC, side, Lots(quantity)) }
}

/// A client that pays no fees, so that amounts in tests are round.
pub(crate) fn client(id: AccountId, cash: Cash) -> OpeningAccount {
    OpeningAccount { fees: Fees::NONE, ..OpeningAccount::client(id, cash) }
}

/// A market order from `stop` on.
pub(crate) fn stop(order: PlaceOrder, stop: i64) -> PlaceOrder {
    PlaceOrder { stop: Some(Ticks(stop)), ..order }
}

pub(crate) fn post_only(order: PlaceOrder) -> PlaceOrder {
    PlaceOrder { post_only: true, ..order }
}

pub(crate) fn reduce_only(order: PlaceOrder) -> PlaceOrder {
    PlaceOrder { reduce_only: true, ..order }
}

/// With a profit-taking limit order and a loss-stopping market order.
pub(crate) fn bracket(order: PlaceOrder, take_profit: i64, stop_loss: i64) -> PlaceOrder {
    let stop_loss = StopPrice { stop: Ticks(stop_loss), limit: None };
    let exits = Attached::Exits { take_profit: Some(Ticks(take_profit)), stop_loss: Some(stop_loss) };
    PlaceOrder { attached: Some(Box::new(exits)), ..order }
}

/// With a stop order next to it.
pub(crate) fn oco(order: PlaceOrder, stop: i64, limit: Option<i64>) -> PlaceOrder {
    let other = StopPrice { stop: Ticks(stop), limit: limit.map(Ticks) };
    PlaceOrder { attached: Some(Box::new(Attached::Oco(other))), ..order }
}

/// A change of nothing yet.
pub(crate) fn change(account: AccountId, order_id: OrderId) -> ModifyOrder {
    ModifyOrder { account, order_id, quantity: None, limit: None, stop: None }
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
