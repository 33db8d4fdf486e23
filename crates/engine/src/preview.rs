//! What an order would do if it came in now. Reads the state, changes nothing.

use cwts_domain::{Cash, Event, Lots, PlaceOrder, Reject, Timestamp};

use crate::Exchange;
use crate::decide::owner;
use crate::matching::{self, Incoming};
use crate::place::{check_terms, market_of, proposal};
use crate::{risk, rules};

/// What an order would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// Why it would be refused; the rest then says what it would do otherwise.
    pub refused: Option<Reject>,
    /// What it would trade at once.
    pub filled: Lots,
    /// Value of that.
    pub traded: Cash,
    /// Fees of that.
    pub fees: Cash,
    /// What would wait, in the book or for its trigger.
    pub waits: Lots,
    /// Value of all of it, at the prices at which it counts.
    pub value: Cash,
    /// Exposure of the account if it were taken, see [`Exchange::exposure`].
    pub exposure_after: Cash,
}

/// See [`Preview`].
///
/// # Errors
/// The order is none: an unknown account or instrument, a quantity or price out of range, or terms that contradict each
/// other.
pub fn preview(exchange: &Exchange, order: &PlaceOrder, at: Timestamp) -> Result<Preview, Reject> {
    let (account, market) = (owner(exchange, order.account)?, market_of(exchange, order.instrument)?);
    check_terms(market, order)?;
    let mut events = Vec::new();
    let outcome = order.stop.is_none().then(|| {
        let order_id = exchange.orders.next_id();
        let incoming = Incoming { order_id, account, side: order.side, limit: order.limit, quantity: order.quantity };
        matching::walk(exchange, market, &incoming, at, &mut events)
    });
    let proposal = proposal(exchange, account, market, order, None, outcome.as_ref(), at);
    let fee = |event: &Event| match event {
        Event::Traded { taker_fee, .. } => *taker_fee,
        _ => Cash::ZERO,
    };
    Ok(Preview {
        refused: rules::check(&proposal).err(),
        filled: proposal.trades.quantity,
        traded: proposal.trades.notional,
        fees: events.iter().map(fee).sum(),
        waits: proposal.waits.map_or(Lots::ZERO, |(_, quantity)| quantity),
        value: proposal.own_total().notional,
        exposure_after: risk::total_exposure(exchange, account, Some(market)) + proposal.instrument_exposure_after(),
    })
}

#[cfg(test)]
mod tests {
    use cwts_domain::{Side, TimeInForce};

    use super::*;
    use crate::fixture::{ALICE, Desk, ROBOT, buy, lasting, market, sell, stop};

    #[test]
    fn a_preview_says_what_placing_does() {
        let mut desk = Desk::rich();
        desk.accepted(sell(ROBOT, 3, 1_000));
        desk.accepted(sell(ROBOT, 5, 1_002));
        let order = buy(ALICE, 10, 1_001);
        let said = preview(&desk.exchange, &order, Timestamp(0)).unwrap();
        assert_eq!((said.filled, said.traded, said.waits), (Lots(3), Cash(3_000), Lots(7)), "three trade, seven wait");
        assert_eq!(said.value, Cash(3_000 + 7 * 1_001), "what waits counts at its limit");
    }

    #[test]
    fn the_exposure_that_is_said_is_the_one_that_comes() {
        let mut desk = Desk::rich();
        desk.accepted(sell(ROBOT, 3, 1_000));
        desk.accepted(buy(ALICE, 2, 999));
        let order = buy(ALICE, 3, 1_000);
        let said = preview(&desk.exchange, &order, Timestamp(0)).unwrap().exposure_after;
        desk.accepted(order);
        assert_eq!(
            desk.exchange.exposure(desk.account(ALICE)),
            said,
            "what is held at its mark, what waits at its limit"
        );
    }

    #[test]
    fn a_stop_order_waits_whole() {
        let desk = Desk::rich();
        let said = preview(&desk.exchange, &stop(market(ALICE, Side::Buy, 4), 1_100), Timestamp(0)).unwrap();
        assert_eq!((said.filled, said.waits, said.value), (Lots::ZERO, Lots(4), Cash(4_400)), "at its stop price");
    }

    #[test]
    fn what_would_be_refused_is_said_with_the_rest() {
        let mut desk = Desk::rich();
        desk.accepted(sell(ROBOT, 3, 1_000));
        let order = lasting(buy(ALICE, 5, 1_000), TimeInForce::Fok);
        let said = preview(&desk.exchange, &order, Timestamp(0)).unwrap();
        assert!(matches!(said.refused, Some(Reject::FillOrKill { .. })), "as placing would: {said:?}");
        assert_eq!(said.filled, Lots(3), "a person sees how much there is");
        assert!(preview(&desk.exchange, &buy(ALICE, 0, 1_000), Timestamp(0)).is_err(), "nothing is no order");
    }
}
