use cwts_domain::{
    Actor, Cash, Command, Instrument, InstrumentId, Lots, PlaceOrder, Reject, RiskLimits, Side, Ticks, Timestamp,
    TradingState,
};

use crate::fixture::{ALICE, BOB, Desk, ROBOT, bracket, buy, change, client, market, reduce_only, sell, stop};
use crate::{Exchange, OpeningAccount};

const PLENTY: Cash = Cash(1_000_000);

/// Alice has these limits; the robot quotes 99 to 101 and the last price is 100.
fn limited(limits: RiskLimits) -> Desk {
    let alice = OpeningAccount { limits: Some(limits), ..client(ALICE, PLENTY) };
    let mut desk = Desk::of([alice, client(BOB, PLENTY), OpeningAccount::simulator(ROBOT, PLENTY)]);
    desk.trade_at(100);
    desk.accepted(buy(ROBOT, 1_000, 99));
    desk.accepted(sell(ROBOT, 1_000, 101));
    desk
}

fn wide() -> RiskLimits {
    RiskLimits { leverage: 100, ..RiskLimits::default() }
}

fn set(desk: &mut Desk, state: TradingState, by: Actor) -> Result<(), Reject> {
    desk.send(Command::SetTradingState { state, by }).map(drop)
}

#[test]
fn a_halt_refuses_every_order_of_a_client_and_lets_cancel() {
    let mut desk = limited(wide());
    desk.accepted(market(ALICE, Side::Buy, 10));
    let open = desk.accepted(buy(ALICE, 1, 95));
    set(&mut desk, TradingState::Halted, Actor::Agent).unwrap();
    for order in [buy(ALICE, 1, 90), market(ALICE, Side::Sell, 1), reduce_only(market(ALICE, Side::Sell, 1))] {
        assert_eq!(desk.place(order), Err(Reject::Halted), "halted is halted");
    }
    let smaller = cwts_domain::ModifyOrder { limit: Some(Ticks(94)), ..change(ALICE, open) };
    assert_eq!(desk.modify(smaller), Err(Reject::Halted), "a modified order is a new one");
    desk.cancel(ALICE, open).unwrap();
    desk.accepted(buy(ROBOT, 1, 98));
}

#[test]
fn what_is_open_at_a_halt_may_still_fill() {
    let mut desk = limited(wide());
    let open = desk.accepted(buy(ALICE, 1, 100));
    set(&mut desk, TradingState::Halted, Actor::Agent).unwrap();
    desk.accepted(market(ROBOT, Side::Sell, 1));
    assert_eq!(desk.order(open).filled_quantity, Lots(1), "the halt cancels nothing; cancel-all does");
}

#[test]
fn only_a_person_opens_what_an_agent_may_close() {
    let mut desk = limited(wide());
    set(&mut desk, TradingState::Reducing, Actor::Agent).unwrap();
    set(&mut desk, TradingState::Halted, Actor::System).unwrap();
    for by in [Actor::Agent, Actor::System] {
        for state in [TradingState::Reducing, TradingState::Active] {
            assert_eq!(set(&mut desk, state, by), Err(Reject::NeedsPerson), "{by:?} may not set {state}");
        }
    }
    assert_eq!(desk.exchange.trading_state(), TradingState::Halted, "it stays halted");
    set(&mut desk, TradingState::Active, Actor::Person).unwrap();
    desk.accepted(buy(ALICE, 1, 90));
}

#[test]
fn reducing_takes_only_what_makes_a_position_smaller() {
    let mut desk = limited(wide());
    desk.accepted(market(ALICE, Side::Buy, 10));
    set(&mut desk, TradingState::Reducing, Actor::Agent).unwrap();
    assert_eq!(desk.place(buy(ALICE, 1, 90)), Err(Reject::OnlyReducing), "more of the same");
    assert_eq!(desk.place(market(ALICE, Side::Sell, 11)), Err(Reject::OnlyReducing), "it would turn the position");
    desk.accepted(sell(ALICE, 6, 110));
    assert_eq!(desk.place(market(ALICE, Side::Sell, 5)), Err(Reject::OnlyReducing), "6 wait already");
    desk.accepted(market(ALICE, Side::Sell, 4));
}

#[test]
fn the_value_of_one_order_is_limited() {
    let mut desk = limited(RiskLimits { max_order_notional: Cash(1_000), ..wide() });
    let refused = |value: &str| Err(Reject::OrderNotional { value: value.to_owned(), limit: "0.00".to_owned() });
    assert_eq!(desk.place(buy(ALICE, 11, 91)), refused("0.01"), "11 at 91 are 1,001 millionths of a dollar");
    assert_eq!(desk.place(market(ALICE, Side::Buy, 10)), refused("0.01"), "a market order counts at what it gets");
    assert_eq!(desk.place(stop(market(ALICE, Side::Buy, 10), 101)), refused("0.01"), "a stop order where it triggers");
    desk.accepted(buy(ALICE, 10, 100));
    desk.accepted(buy(ALICE, 10, 100));
}

#[test]
fn the_value_of_a_position_is_limited_with_what_waits() {
    let mut desk = limited(RiskLimits { max_position_notional: Cash(1_000), ..wide() });
    desk.accepted(market(ALICE, Side::Buy, 5));
    desk.accepted(buy(ALICE, 4, 100));
    let refused = desk.place(buy(ALICE, 1, 100));
    assert!(matches!(refused, Err(Reject::PositionLimit { .. })), "505 held, 400 wait, 100 more: {refused:?}");
    desk.accepted(buy(ALICE, 1, 95));
    desk.accepted(market(ALICE, Side::Sell, 14));
}

#[test]
fn an_order_that_only_reduces_passes_every_limit() {
    let mut desk = limited(wide());
    desk.accepted(market(ALICE, Side::Buy, 100));
    let narrow = RiskLimits {
        leverage: 1,
        max_order_notional: Cash(1),
        max_position_notional: Cash(1),
        max_daily_loss: Cash(-1_000_000),
        ..wide()
    };
    desk.send(Command::SetLimits { account: ALICE, limits: narrow }).unwrap();
    assert!(desk.place(buy(ALICE, 1, 90)).is_err(), "nothing may be added");
    desk.accepted(market(ALICE, Side::Sell, 100));
}

#[test]
fn the_rate_of_orders_is_limited_by_the_second() {
    let mut desk = limited(RiskLimits { max_orders_per_second: 2, ..wide() });
    desk.accepted(buy(ALICE, 1, 90));
    desk.accepted(bracket(buy(ALICE, 1, 90), 110, 80));
    assert_eq!(
        desk.place(buy(ALICE, 1, 90)),
        Err(Reject::OrderRate { limit: 2 }),
        "exits do not count, the third does"
    );
    desk.accepted(buy(BOB, 1, 90));
    desk.now = Timestamp(1_000_000_000);
    desk.accepted(buy(ALICE, 1, 90));
}

#[test]
fn a_loss_of_the_day_leaves_only_reducing() {
    let mut desk = limited(RiskLimits { max_daily_loss: Cash(100), ..wide() });
    desk.accepted(market(ALICE, Side::Buy, 50));
    desk.accepted(buy(ALICE, 1, 95));
    desk.send(Command::CancelAll { account: ROBOT, instrument: None }).unwrap();
    desk.accepted(buy(ROBOT, 100, 98));
    desk.accepted(market(BOB, Side::Sell, 1));
    let lost = Reject::DailyLoss { loss: "0.00".to_owned(), limit: "0.00".to_owned() };
    assert_eq!(desk.place(buy(ALICE, 1, 95)), Err(lost), "50 lots have lost 3 each");
    desk.accepted(market(ALICE, Side::Sell, 10));
    desk.now = Timestamp(86_400_000_000_000);
    desk.send(Command::EndDay).unwrap();
    desk.accepted(buy(ALICE, 1, 95));
}

#[test]
fn leverage_multiplies_what_may_be_held() {
    for (leverage, most) in [(1, 9_900), (5, 49_504)] {
        let mut desk = limited(RiskLimits { leverage, ..wide() });
        desk.accepted(sell(ROBOT, 1_000_000, 101));
        assert!(desk.place(market(ALICE, Side::Buy, most + 1)).is_err(), "{} lots at 101 with {leverage}", most + 1);
        desk.accepted(market(ALICE, Side::Buy, most));
    }
}

#[test]
fn instruments_share_one_account_and_are_not_netted() {
    let accounts = [client(ALICE, Cash(1_000)), OpeningAccount::simulator(ROBOT, PLENTY)];
    let mut exchange = Exchange::new([Instrument::btcusd(), Instrument::ethusd()], accounts);
    let mut place = |order: PlaceOrder| exchange.execute(&Command::Place(order), Timestamp(0)).map(drop);
    let [btc, eth] = [0, 1].map(InstrumentId);
    for instrument in [btc, eth] {
        place(PlaceOrder { instrument, ..sell(ROBOT, 1_000, 100) }).unwrap();
        place(PlaceOrder { instrument, ..buy(ROBOT, 1_000, 99) }).unwrap();
    }
    place(PlaceOrder { instrument: btc, ..market(ALICE, Side::Buy, 6) }).unwrap();
    let eth_order = |quantity| PlaceOrder { instrument: eth, ..market(ALICE, Side::Sell, quantity) };
    assert!(place(eth_order(5)).is_err(), "600 are bound in BTC, so 495 of ETH are too much");
    place(eth_order(4)).unwrap();
    let alice = exchange.account(ALICE).unwrap();
    let held: Vec<_> = alice.positions().map(|(_, position)| position.quantity().0).collect();
    assert_eq!(held, [6, -4], "each instrument has a position of its own");
    assert_eq!(exchange.exposure(alice), Cash(6 * 100 + 4 * 99), "long here and short there add up");
}

#[test]
fn limits_are_of_clients_and_within_reason() {
    let mut desk = limited(wide());
    let robot = desk.send(Command::SetLimits { account: ROBOT, limits: wide() });
    assert_eq!(robot, Err(Reject::UnknownAccount { account: ROBOT }), "the simulator has none");
    let limits = RiskLimits { leverage: 0, ..wide() };
    let refused = desk.send(Command::SetLimits { account: ALICE, limits });
    assert!(matches!(refused, Err(Reject::Invalid { field: "leverage", .. })), "nothing could be held: {refused:?}");
}
