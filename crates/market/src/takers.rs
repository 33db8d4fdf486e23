//! The takers: now and then one of them crosses the spread.

use cwts_domain::{AccountId, Command, PlaceOrder, Side, Ticks, TimeInForce};

use crate::dice::Dice;
use crate::fair_value::FairValue;
use crate::simulator::Traded;

/// Chance per step at mean volatility, per mille: about 3 orders a second.
const CHANCE: i64 = 300;
/// One to five orders a second.
const CHANCE_RANGE: (i64, i64) = (100, 500);
/// Quantity of an order: 0.001 to 1 BTC, and of other instruments as much as this is worth.
const QUANTITY: (i64, i64) = (10, 10_000);
/// The worst price that a taker pays, in parts of the fair value away from it: one thousandth.
const SLIPPAGE: i64 = 1000;

/// At most one order: immediate or cancel, so that a taker never pays an absurd price and never rests.
pub(crate) fn take(fair: &FairValue, dice: &mut Dice, traded: &Traded) -> Option<Command> {
    let chance = (CHANCE * fair.restlessness() / 1000).clamp(CHANCE_RANGE.0, CHANCE_RANGE.1);
    if !dice.per_mille(chance) {
        return None;
    }
    let fair = fair.ticks();
    let slippage = fair.0 / SLIPPAGE + 1;
    let (side, limit) =
        if dice.per_mille(500) { (Side::Buy, fair.0 + slippage) } else { (Side::Sell, fair.0 - slippage) };
    let limit = Ticks(limit.clamp(1, traded.instrument.max_price.0));
    let quantity = traded.sized(dice.mostly_small(QUANTITY.0, QUANTITY.1));
    let order = PlaceOrder::limit(AccountId::TAKER, traded.id, side, quantity, limit);
    Some(Command::Place(PlaceOrder { time_in_force: TimeInForce::Ioc, ..order }))
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Instrument, InstrumentId};

    use super::*;

    #[test]
    fn takers_come_one_to_five_times_a_second_from_both_sides() {
        let traded = Traded::new(InstrumentId(0), Instrument::btcusd(), Ticks(6_400_000));
        let (mut dice, fair) = (Dice::new(2), FairValue::new(&traded.instrument, Ticks(6_400_000)));
        let steps = 10_000;
        let orders: Vec<_> = (0..steps).filter_map(|_| take(&fair, &mut dice, &traded)).collect();
        let per_second = orders.len() * 10 / steps;
        assert!((1..=5).contains(&per_second), "{per_second} orders a second");
        let is_buy = |command: &&Command| matches!(command, Command::Place(order) if order.side == Side::Buy);
        let buys = orders.iter().filter(is_buy).count() * 100 / orders.len();
        assert!((45..=55).contains(&buys), "neither side may push the market: {buys} % buy");
    }
}
