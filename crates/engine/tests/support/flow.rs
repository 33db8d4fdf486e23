//! Random commands in a narrow band of prices, so that orders often meet; some are nonsense.

use cwts_domain::{
    AccountId, Actor, Attached, Cash, ClientOrderId, Command, Lots, ModifyOrder, OrderId, PlaceOrder, Print,
    RiskLimits, Side, StopPrice, Ticks, TimeInForce, TradingState,
};
use cwts_engine::{Account, Exchange};
use rand::{Rng, RngExt};

use super::{CLIENTS, INSTRUMENTS, limits};

/// `exchange` is looked at only to find orders worth a change.
pub(crate) fn random_command(rng: &mut impl Rng, exchange: &Exchange) -> Command {
    let account = AccountId(rng.random_range(1..=4));
    let client = CLIENTS[rng.random_range(0..CLIENTS.len())];
    let newest = exchange.last_order_id().0;
    let recent = OrderId(rng.random_range(newest.saturating_sub(60)..=newest + 1));
    let open = exchange.account(account).map_or(0, Account::open_order_count);
    let open = exchange.open_orders(account).nth(rng.random_range(0..open.max(1))).map(|order| order.id);
    let some = open.filter(|_| rng.random_bool(0.8)).unwrap_or(recent);
    match rng.random_range(0..1000) {
        0..4 => Command::CancelAll {
            account,
            instrument: rng.random_bool(0.5).then(|| INSTRUMENTS[rng.random_range(0..INSTRUMENTS.len())]),
        },
        4..8 => Command::EndDay,
        8..14 => Command::SetTradingState {
            state: [TradingState::Active, TradingState::Reducing, TradingState::Halted][rng.random_range(0..3)],
            by: if rng.random_bool(0.3) { Actor::Person } else { Actor::Agent },
        },
        14..26 => Command::SetTradingState { state: TradingState::Active, by: Actor::Person },
        26..28 => Command::SetLimits {
            account: client,
            limits: RiskLimits {
                max_order_notional: Cash(rng.random_range(2_000..8_000)),
                ..limits(rng.random_range(1..=4))
            },
        },
        28..30 => Command::Reset { account: client },
        // Where quotes stand nobody else trades.
        30..40 => Command::Print(Print {
            instrument: INSTRUMENTS[rng.random_range(0..2)],
            price: price(rng),
            quantity: Lots(rng.random_range(0..=40)),
            taker_side: if rng.random_bool(0.5) { Side::Buy } else { Side::Sell },
        }),
        40..170 => Command::Cancel { account, order_id: some },
        170..330 => Command::Modify(ModifyOrder {
            account,
            order_id: some,
            quantity: rng.random_bool(0.5).then(|| Lots(rng.random_range(0..=25))),
            limit: rng.random_bool(0.5).then(|| price(rng)),
            stop: rng.random_bool(0.2).then(|| price(rng)),
        }),
        _ => Command::Place(random_order(rng, account)),
    }
}

fn price(rng: &mut impl Rng) -> Ticks {
    Ticks(rng.random_range(90..=110))
}

fn random_order(rng: &mut impl Rng, account: AccountId) -> PlaceOrder {
    let side = if rng.random_bool(0.5) { Side::Buy } else { Side::Sell };
    let instrument = INSTRUMENTS[[0, 0, 0, 0, 1, 1, 2][rng.random_range(0..7)]];
    PlaceOrder {
        limit: rng.random_bool(0.8).then(|| price(rng)),
        stop: rng.random_bool(0.2).then(|| price(rng)),
        time_in_force: match rng.random_range(0..10) {
            0 => TimeInForce::Ioc,
            1 => TimeInForce::Fok,
            2..4 => TimeInForce::Day,
            _ => TimeInForce::Gtc,
        },
        post_only: rng.random_bool(0.08),
        reduce_only: rng.random_bool(0.15),
        attached: random_attached(rng, side).map(Box::new),
        client_order_id: rng.random_bool(0.1).then(|| ClientOrderId(rng.random_range(0..500).to_string())),
        ..PlaceOrder::market(account, instrument, side, Lots(rng.random_range(0..=30)))
    }
}

fn random_attached(rng: &mut impl Rng, side: Side) -> Option<Attached> {
    let sign = if side == Side::Buy { 1 } else { -1 };
    let mut away = |from: i64, to: i64| Ticks(100 + sign * rng.random_range(from..=to));
    let (profit, loss, other) = (away(0, 10), away(-10, 0), away(0, 10));
    let stop_price = |rng: &mut dyn FnMut() -> bool, stop: Ticks| StopPrice { stop, limit: rng().then_some(stop) };
    let mut coin = || rng.random_bool(0.5);
    match (coin(), coin(), coin()) {
        (true, true, true) => {
            Some(Attached::Exits { take_profit: Some(profit), stop_loss: Some(stop_price(&mut coin, loss)) })
        }
        (true, true, false) if coin() => {
            let take_profit = coin().then_some(profit);
            Some(Attached::Exits { take_profit, stop_loss: take_profit.is_none().then(|| stop_price(&mut coin, loss)) })
        }
        (true, false, true) if coin() => Some(Attached::Oco(stop_price(&mut coin, other))),
        _ => None,
    }
}
