//! When an order of a client trades in a replayed market (docs/trading.md, "Replayed markets").

use cwts_domain::{
    AccountId, Command, Event, Instrument, InstrumentId, Lots, OrderId, PlaceOrder, Side, Ticks, Timestamp,
};
use cwts_engine::{Exchange, OpeningAccount, Order};
use cwts_market::{BookOrder, Happening, Replay, ReplayView, Step};

const BTC: InstrumentId = InstrumentId(0);

/// A replayed market with a client in it.
struct Desk {
    exchange: Exchange,
    replay: Replay,
}

impl Desk {
    fn new() -> Self {
        let exchange = Exchange::new(Instrument::defaults(), OpeningAccount::defaults());
        Self { exchange, replay: Replay::new(BTC, &Instrument::btcusd()) }
    }

    fn book(&self, account: AccountId) -> Vec<BookOrder> {
        let order = |order: &Order| {
            let (id, side, quantity) = (order.id, order.side, order.quantity);
            Some(BookOrder { id, side, price: order.limit?, quantity, remaining: order.remaining() })
        };
        let open = self.exchange.open_orders(account).filter(|order| !order.awaits_trigger());
        open.filter_map(order).collect()
    }

    fn play(&mut self, what: Happening) -> Vec<Event> {
        let (makers, clients) = (self.book(AccountId::MAKER), self.book(AccountId::PAPER));
        let view = ReplayView { makers: &makers, clients: &clients };
        let commands = self.replay.step(&Step { at: Timestamp(0), what }, view);
        let send =
            |command| self.exchange.execute(&command, Timestamp(1)).unwrap_or_else(|no| panic!("{command:?}: {no}"));
        let events = commands.into_iter().flat_map(send).collect();
        assert_eq!(self.exchange.audit(), Ok(()), "a replay keeps every rule of the exchange");
        events
    }

    fn trade(&mut self, price: i64, lots: i64, taker_side: Side) -> Vec<Event> {
        self.play(Happening::Trade { price: Ticks(price), quantity: Lots(lots), taker_side, exact: true })
    }

    fn bar_point(&mut self, price: i64, lots: i64, taker_side: Side) -> Vec<Event> {
        self.play(Happening::Trade { price: Ticks(price), quantity: Lots(lots), taker_side, exact: false })
    }

    fn quote(&mut self, bid: [i64; 2], ask: [i64; 2]) -> Vec<Event> {
        self.play(Happening::Quote { bid: (Ticks(bid[0]), Lots(bid[1])), ask: (Ticks(ask[0]), Lots(ask[1])) })
    }

    fn client(&mut self, order: PlaceOrder) -> OrderId {
        let events = self.exchange.execute(&Command::Place(order), Timestamp(1)).expect("the order is taken");
        match events[0] {
            Event::Accepted { order_id, .. } => order_id,
            _ => panic!("an order is accepted first"),
        }
    }

    fn limit(&mut self, side: Side, lots: i64, price: i64) -> OrderId {
        self.client(PlaceOrder::limit(AccountId::PAPER, BTC, side, Lots(lots), Ticks(price)))
    }

    fn filled(&self, id: OrderId) -> i64 {
        self.exchange.order(id).expect("it is kept").filled_quantity.0
    }

    fn best(&self) -> [Option<(i64, i64)>; 2] {
        let market = self.exchange.market(BTC).expect("it is traded");
        [Side::Buy, Side::Sell].map(|side| market.depth(side, 1).first().map(|(price, lots)| (price.0, lots.0)))
    }
}

fn volume(events: &[Event]) -> i64 {
    let lots = |event: &Event| match event {
        Event::Traded { quantity, .. } => quantity.0,
        Event::Printed { print, .. } => print.quantity.0,
        _ => 0,
    };
    events.iter().map(lots).sum()
}

#[test]
fn trades_move_the_last_price_and_the_quotes() {
    let mut desk = Desk::new();
    desk.trade(4_000_000, 5_000, Side::Sell);
    assert_eq!(desk.best(), [Some((4_000_000, 16_000)), Some((4_000_001, 16_000))], "64,000 USD on each side");
    let events = desk.trade(4_000_300, 7, Side::Buy);
    assert_eq!(desk.best()[0].map(|bid| bid.0), Some(4_000_000), "who bought says nothing of the bid");
    assert_eq!(desk.best()[1].map(|ask| ask.0), Some(4_000_300), "but paid the ask");
    assert_eq!(volume(&events), 7, "what was traded, once");
    desk.trade(4_100_000, 7, Side::Buy);
    assert_eq!(desk.best()[0].map(|bid| bid.0), Some(4_099_589), "the other side is never far");
    let market = desk.exchange.market(BTC).unwrap();
    assert_eq!(market.last_trade().unwrap().price, Ticks(4_100_000), "the last price is that of the file");
    assert_eq!(market.session().volume, Lots(5_014), "and so is the volume");
}

#[test]
fn an_order_joins_behind_what_is_shown_and_trades_eat_the_queue() {
    let mut desk = Desk::new();
    desk.trade(4_000_000, 10, Side::Sell);
    let (first, second) = (desk.limit(Side::Buy, 500, 4_000_000), desk.limit(Side::Buy, 500, 4_000_000));
    desk.trade(4_000_000, 15_900, Side::Sell);
    assert_eq!(desk.filled(first), 0, "16,000 lots were there before");
    let events = desk.trade(4_000_000, 400, Side::Sell);
    assert_eq!((desk.filled(first), volume(&events)), (300, 400), "100 of these 400 went to those ahead");
    desk.trade(4_000_000, 600, Side::Sell);
    assert_eq!((desk.filled(first), desk.filled(second)), (500, 400), "first come, first served");
    desk.trade(4_000_000, 600, Side::Sell);
    assert_eq!(desk.filled(second), 500, "nobody gets more than was asked for");
}

#[test]
fn a_trade_beyond_the_price_fills_as_much_as_it_was() {
    let mut desk = Desk::new();
    desk.trade(4_000_000, 10, Side::Sell);
    let bid = desk.limit(Side::Buy, 500, 3_999_000);
    desk.trade(3_999_001, 9_000, Side::Sell);
    assert_eq!(desk.filled(bid), 0, "the price has not come there");
    let events = desk.trade(3_998_999, 200, Side::Sell);
    assert_eq!((desk.filled(bid), volume(&events)), (200, 200), "whoever sold for less would have sold to it");
    let fill = desk.exchange.fills(AccountId::PAPER).last().unwrap();
    assert_eq!(fill.price, Ticks(3_999_000), "at its own price");
    desk.trade(3_998_000, 200, Side::Buy);
    assert_eq!(desk.filled(bid), 400, "and so would a seller who waited for less");
}

#[test]
fn an_order_between_the_quotes_is_first() {
    let mut desk = Desk::new();
    desk.trade(4_000_000, 10, Side::Sell);
    desk.trade(4_000_200, 10, Side::Buy);
    let bid = desk.limit(Side::Buy, 500, 4_000_100);
    desk.trade(4_000_100, 300, Side::Sell);
    assert_eq!(desk.filled(bid), 300, "nobody was ahead of it");
}

#[test]
fn a_price_that_the_file_did_not_show_is_taken_to_be_full() {
    let mut desk = Desk::new();
    desk.trade(4_000_000, 10, Side::Sell);
    let bid = desk.limit(Side::Buy, 500, 3_999_000);
    desk.trade(3_999_000, 15_000, Side::Sell);
    assert_eq!(desk.filled(bid), 0, "all that is shown there first is taken to be ahead");
    desk.trade(3_999_000, 1_200, Side::Sell);
    assert_eq!(desk.filled(bid), 196, "16,004 lots are worth 64,000 USD");
}

#[test]
fn a_bar_fills_only_beyond_the_price() {
    let mut desk = Desk::new();
    desk.bar_point(4_000_000, 10, Side::Sell);
    let bid = desk.limit(Side::Buy, 500, 3_999_000);
    desk.bar_point(3_999_000, 900_000, Side::Sell);
    assert_eq!(desk.filled(bid), 0, "how much was traded at the low itself is not known");
    desk.bar_point(3_998_999, 900_000, Side::Sell);
    assert_eq!(desk.filled(bid), 500, "beyond it the order would have been served");
}

#[test]
fn a_bid_of_the_file_that_shrinks_is_taken_to_shrink_from_behind() {
    let mut desk = Desk::new();
    desk.quote([4_000_000, 1_000], [4_000_100, 1_000]);
    let bid = desk.limit(Side::Buy, 500, 4_000_000);
    desk.quote([4_000_000, 5_000], [4_000_100, 1_000]);
    desk.quote([4_000_000, 300], [4_000_100, 1_000]);
    assert_eq!(desk.best()[0], Some((4_000_000, 800)), "300 of the file and 500 of the client");
    assert_eq!(desk.filled(bid), 0, "nobody sold to it");
    desk.quote([3_999_000, 300], [3_999_900, 200]);
    assert_eq!(desk.filled(bid), 200, "an offer below its price is one to it, as large as it is");
    assert_eq!(desk.best()[0], Some((4_000_000, 300)), "and the rest waits");
}

#[test]
fn what_a_client_took_is_gone_until_the_price_moves() {
    let mut desk = Desk::new();
    desk.quote([4_000_000, 1_000], [4_000_100, 1_000]);
    let order = desk.client(PlaceOrder::market(AccountId::PAPER, BTC, Side::Buy, Lots(400)));
    assert_eq!(desk.filled(order), 400, "it is there");
    desk.quote([4_000_000, 900], [4_000_100, 1_000]);
    assert_eq!(desk.best()[1], Some((4_000_100, 600)), "the file knows nothing of this client");
    desk.quote([4_000_000, 900], [4_000_100, 1_200]);
    assert_eq!(desk.best()[1], Some((4_000_100, 800)), "what came, came behind");
    desk.quote([4_000_000, 900], [4_000_090, 1_000]);
    assert_eq!(desk.best()[1], Some((4_000_090, 1_000)), "another price is another queue");
}

#[test]
fn what_no_file_shows_costs_a_tenth_of_a_percent() {
    let mut desk = Desk::new();
    desk.quote([4_000_000, 1_000], [4_000_100, 1_000]);
    desk.client(PlaceOrder::market(AccountId::PAPER, BTC, Side::Buy, Lots(1_500)));
    let prices: Vec<_> = desk.exchange.fills(AccountId::PAPER).map(|fill| (fill.price.0, fill.quantity.0)).collect();
    assert_eq!(prices, [(4_000_100, 1_000), (4_004_102, 500)], "the shown size first");
}

#[test]
fn stops_see_the_prices_of_every_kind_of_file() {
    for kind in ["trades", "bars", "quotes"] {
        let mut desk = Desk::new();
        let price = |desk: &mut Desk, at: i64| match kind {
            "trades" => desk.trade(at, 10, Side::Sell),
            "bars" => desk.bar_point(at, 10, Side::Sell),
            _ => desk.quote([at, 10_000], [at + 2, 10_000]),
        };
        price(&mut desk, 4_000_000);
        let market = PlaceOrder::market(AccountId::PAPER, BTC, Side::Sell, Lots(100));
        let stop = desk.client(PlaceOrder { stop: Some(Ticks(3_990_000)), ..market });
        price(&mut desk, 3_995_000);
        assert_eq!(desk.filled(stop), 0, "not yet, {kind}");
        price(&mut desk, 3_989_000);
        assert_eq!(desk.filled(stop), 100, "and there it meets the quotes of that moment, {kind}");
        let fill = desk.exchange.fills(AccountId::PAPER).last().unwrap();
        assert_eq!(fill.price, Ticks(3_989_000), "at what was bid then, {kind}");
    }
}

#[test]
fn the_same_file_and_commands_give_the_same_bytes() {
    let run = || {
        let mut desk = Desk::new();
        let mut events = Vec::new();
        for step in 0..2_000_i64 {
            let price = 4_000_000 + (step * 7_919) % 601 - 300;
            let side = if step % 3 == 0 { Side::Buy } else { Side::Sell };
            events.extend(desk.trade(price, step * 31 % 977 + 1, side));
            if step % 10 == 0 {
                let away = if side == Side::Buy { -150 } else { 150 };
                desk.limit(side, step % 50 + 1, price + away);
            }
        }
        (format!("{events:?}"), desk.exchange.state_hash())
    };
    assert!(run() == run(), "nothing but file and commands may decide");
}

#[test]
fn trades_with_quotes_take_prices_from_the_quotes_and_fills_from_the_trades() {
    let mut desk = Desk::new();
    desk.replay = Replay::new(BTC, &Instrument::btcusd()).with_trades_and_quotes(true);
    desk.trade(4_000_000, 5_000, Side::Sell);
    assert_eq!(desk.best()[0].map(|bid| bid.0), Some(4_000_000), "before the first quote trades say what is bid");
    let said = desk.quote([4_000_000, 1_000], [4_000_100, 700]);
    assert_eq!(volume(&said), 0, "nothing was traded");
    assert_eq!(desk.best(), [Some((4_000_000, 1_000)), Some((4_000_100, 700))], "then the quotes say it");
    let bid = desk.limit(Side::Buy, 500, 4_000_000);
    desk.trade(4_000_000, 600, Side::Sell);
    desk.quote([4_000_000, 400], [4_000_100, 700]);
    assert_eq!(desk.filled(bid), 0, "1,000 were ahead, and 400 of them still are");
    desk.trade(4_000_000, 500, Side::Sell);
    assert_eq!(desk.filled(bid), 100, "the quote did not count these 600 once more");
    desk.trade(3_990_000, 500, Side::Sell);
    assert_eq!(desk.filled(bid), 500, "beyond its price");
    assert_eq!(desk.best()[1], Some((4_000_100, 700)), "a trade moves no quote");
    assert_eq!(desk.exchange.market(BTC).unwrap().last_trade().unwrap().price, Ticks(3_990_000), "but the last price");
}
