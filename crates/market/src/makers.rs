//! The market makers: one quote in each of ten bands of distance from the fair value, on both sides.
//!
//! A quote that the moving value carries out of its side, or into a band that has one already, is stale and cancelled; an
//! empty band gets a new quote. So a calm market keeps its quotes, and after every step each side has at most one order
//! per band, whatever happened in between.

use cwts_domain::{AccountId, Command, Lots, PlaceOrder, Side, Ticks};

use crate::dice::Dice;
use crate::fair_value::FairValue;
use crate::settings::Factor;
use crate::simulator::{MakerOrder, Traded};

/// Quotes per side.
pub const LEVELS: usize = 10;

/// Outer end of each band in millionths of the fair value at mean volatility: at 64,000 USD about 0.50 USD for the
/// innermost and 42 USD for the outermost.
const BANDS: [i64; LEVELS] = [8, 24, 48, 80, 125, 190, 270, 375, 500, 660];
/// Quantity of a quote: 0.05 to 2 BTC, and of other instruments as much as this is worth.
const QUANTITY: (i64, i64) = (500, 20_000);

/// Cancels first, then new quotes, so that no maker meets an own stale quote.
pub(crate) fn requote(fair: &FairValue, dice: &mut Dice, traded: &Traded, orders: &[MakerOrder]) -> Vec<Command> {
    let ends = band_ends(fair, traded.spread);
    let mut quoted = [[false; LEVELS]; 2];
    let mut commands = Vec::new();
    for order in orders {
        let band = band_of(&ends, distance(fair.ticks(), order.side, order.price));
        let fresh = band.is_some_and(|band| !std::mem::replace(&mut quoted[order.side as usize][band], true));
        if !fresh {
            commands.push(Command::Cancel { account: AccountId::MAKER, order_id: order.id });
        }
    }
    for side in [Side::Buy, Side::Sell] {
        for band in (0..LEVELS).filter(|band| !quoted[side as usize][*band]) {
            let nearest = if band == 0 { 1 } else { ends[band - 1] + 1 };
            let away = dice.between(nearest, ends[band]);
            let quantity = traded.sized(traded.depth.of(dice.mostly_small(QUANTITY.0, QUANTITY.1)));
            commands.extend(quote(traded, side, price_at(fair.ticks(), side, away), quantity));
        }
    }
    commands
}

/// The last tick of each band, counted from the fair value; each band is at least one tick wide.
fn band_ends(fair: &FairValue, spread: Factor) -> [i64; LEVELS] {
    let mut previous = 0;
    BANDS.map(|millionths| {
        previous = spread.of(fair.part(millionths)).max(previous + 1);
        previous
    })
}

fn band_of(ends: &[i64; LEVELS], distance: i64) -> Option<usize> {
    let band = ends.partition_point(|end| *end < distance);
    (distance >= 1 && band < LEVELS).then_some(band)
}

/// Ticks from the fair value outwards; below 1 the quote would give money away.
fn distance(fair: Ticks, side: Side, price: Ticks) -> i64 {
    match side {
        Side::Buy => fair.0 - price.0,
        Side::Sell => price.0 - fair.0,
    }
}

fn price_at(fair: Ticks, side: Side, distance: i64) -> Ticks {
    match side {
        Side::Buy => Ticks(fair.0 - distance),
        Side::Sell => Ticks(fair.0 + distance),
    }
}

/// `None` where no price exists: below one tick.
fn quote(traded: &Traded, side: Side, price: Ticks, quantity: Lots) -> Option<Command> {
    let exists = price > Ticks::ZERO && price <= traded.instrument.max_price;
    exists.then(|| Command::Place(PlaceOrder::limit(AccountId::MAKER, traded.id, side, quantity, price)))
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Instrument, InstrumentId, OrderId};

    use super::*;

    fn fair() -> FairValue {
        FairValue::new(&Instrument::btcusd(), Ticks(6_400_000))
    }

    fn btcusd() -> Traded {
        Traded::new(InstrumentId(0), Instrument::btcusd(), Ticks(6_400_000))
    }

    fn requoted(orders: &[MakerOrder]) -> (Vec<OrderId>, Vec<PlaceOrder>) {
        let (mut cancels, mut places) = (Vec::new(), Vec::new());
        for command in requote(&fair(), &mut Dice::new(5), &btcusd(), orders) {
            match command {
                Command::Cancel { order_id, .. } => cancels.push(order_id),
                Command::Place(order) => places.push(order),
                other => panic!("makers keep their good quotes and do nothing else: {other:?}"),
            }
        }
        (cancels, places)
    }

    fn waiting(places: &[PlaceOrder]) -> Vec<MakerOrder> {
        let order = |(id, place): (u64, &PlaceOrder)| MakerOrder {
            id: OrderId(id),
            side: place.side,
            price: place.limit.unwrap(),
        };
        (1..).zip(places).map(order).collect()
    }

    #[test]
    fn an_empty_book_gets_ten_quotes_on_each_side_of_the_value() {
        let (cancels, places) = requoted(&[]);
        assert!(cancels.is_empty(), "there is nothing to cancel");
        for side in [Side::Buy, Side::Sell] {
            let away: Vec<_> = places
                .iter()
                .filter(|place| place.side == side)
                .map(|place| distance(Ticks(6_400_000), side, place.limit.unwrap()))
                .collect();
            assert_eq!(away.len(), LEVELS, "a depth of ten levels");
            assert!(away.is_sorted() && away[0] >= 1 && away[LEVELS - 1] <= 4_300, "within 43 USD: {away:?}");
        }
        let sizes_hold = places.iter().all(|place| (500..=20_000).contains(&place.quantity.0));
        assert!(sizes_hold, "quotes are 0.05 to 2 BTC");
    }

    #[test]
    fn good_quotes_stay() {
        let (_, places) = requoted(&[]);
        let (cancels, more) = requoted(&waiting(&places));
        assert!(cancels.is_empty() && more.is_empty(), "a market that has not moved needs no new quotes");
    }

    #[test]
    fn stale_quotes_are_cancelled_and_taken_ones_replaced() {
        let (_, places) = requoted(&[]);
        let mut orders = waiting(&places);
        orders[0].price = Ticks(6_400_001);
        orders[1].price = Ticks(6_300_000);
        orders.remove(LEVELS);
        let (cancels, more) = requoted(&orders);
        assert_eq!(cancels, [OrderId(1), OrderId(2)], "a bid above the value and one far away are stale");
        let sides: Vec<_> = more.iter().map(|place| place.side).collect();
        assert_eq!(sides, [Side::Buy, Side::Buy, Side::Sell], "each empty band gets one quote");
    }

    #[test]
    fn two_quotes_in_one_band_become_one() {
        let (_, places) = requoted(&[]);
        let mut orders = waiting(&places);
        orders.push(MakerOrder { id: OrderId(99), ..orders[3].clone() });
        let (cancels, more) = requoted(&orders);
        assert_eq!((cancels, more.len()), (vec![OrderId(99)], 0), "or the book would grow without bound");
    }

    #[test]
    fn bands_are_distinct_at_any_price() {
        for start in [1, 50, 6_400_000, 900_000_000] {
            let ends = band_ends(&FairValue::new(&Instrument::btcusd(), Ticks(start)), Factor::ONE);
            assert!(ends.is_sorted_by(|a, b| a < b), "ten levels need ten prices at {start}: {ends:?}");
        }
    }
}
