//! What the makers of a replayed market quote.
//!
//! On each side the best price of the file with its size, and far behind it a large order that stands for all that no file
//! shows. What clients have taken of a size is gone until the price is another one.

use cwts_domain::{AccountId, Cash, Command, Instrument, InstrumentId, Lots, ModifyOrder, PlaceOrder, Side, Ticks};

use super::{BookOrder, ReplayView, better};

/// Where a file names no sizes, so much is taken to wait at the best price.
const ASSUMED: Cash = Cash(64_000_000_000);
/// The order far behind is worth so many times as much.
const FAR_SIZE: i64 = 10;
/// How far behind, in parts of the price: 0.1 %.
const FAR: i64 = 1_000;
/// Trades name one side only. The other one is taken to be at most so far away, in parts of the price: 0.01 %.
const WIDEST: i64 = 10_000;

#[derive(Debug)]
pub(super) struct Quotes {
    id: InstrumentId,
    max_quantity: Lots,
    max_price: Ticks,
    /// Best price with its size, as the file has them: bids, asks.
    shown: [Option<(Ticks, Lots)>; 2],
    /// The price for which an order was sent; `None` where one would have met an order of a client.
    quoted: [Option<Ticks>; 2],
    far: [Option<Ticks>; 2],
}

impl Quotes {
    pub(super) fn new(id: InstrumentId, instrument: &Instrument) -> Self {
        let Instrument { max_quantity, max_price, .. } = *instrument;
        Self { id, max_quantity, max_price, shown: [None; 2], quoted: [None; 2], far: [None; 2] }
    }

    /// The best price of a side with its size, as the file has it.
    pub(super) fn shown(&self, side: Side) -> Option<(Ticks, Lots)> {
        self.shown[side as usize]
    }

    /// The file names both best prices and their sizes. Where they reach orders of clients they trade with them.
    pub(super) fn follow(
        &mut self,
        bid: (Ticks, Lots),
        ask: (Ticks, Lots),
        view: ReplayView<'_>,
        commands: &mut Vec<Command>,
    ) {
        self.show([bid, ask], false, view, commands);
    }

    /// The file names a trade only. Who came in met the best price of the other side.
    pub(super) fn infer(&mut self, price: Ticks, taker_side: Side, view: ReplayView<'_>, commands: &mut Vec<Command>) {
        let widest = price.0 / WIDEST + 1;
        let other = self.shown(taker_side).map_or(price, |(other, _)| other);
        // At least a tick away, at most the widest spread.
        let other = match taker_side {
            Side::Buy => Ticks(other.0.clamp(price.0 - widest, price.0 - 1).max(1)),
            Side::Sell => Ticks(other.0.clamp(price.0 + 1, price.0 + widest).min(self.max_price.0)),
        };
        let size = self.assumed(price);
        let (bid, ask) = match taker_side {
            Side::Buy => (other, price),
            Side::Sell => (price, other),
        };
        if bid < ask {
            // A price that stays keeps its size.
            let sized = |side: Side, price| match self.shown(side) {
                Some((before, size)) if before == price => (price, size),
                _ => (price, size),
            };
            self.show([sized(Side::Buy, bid), sized(Side::Sell, ask)], true, view, commands);
        }
    }

    /// The order at the best price of a side goes behind the orders of clients there.
    pub(super) fn step_behind(&self, side: Side, view: ReplayView<'_>, commands: &mut Vec<Command>) {
        let Some(price) = self.quoted[side as usize] else { return };
        let ours = |order: &&BookOrder| order.side == side && order.price == price;
        let quantity: Lots = view.makers.iter().filter(ours).map(|order| order.remaining).sum();
        if quantity > Lots::ZERO {
            commands.extend(view.makers.iter().filter(ours).map(cancel));
            commands.push(self.place(side, price, quantity));
        }
    }

    /// Cancels first, so that no maker meets an own order that has become stale.
    fn show(&mut self, best: [(Ticks, Lots); 2], polite: bool, view: ReplayView<'_>, commands: &mut Vec<Command>) {
        let mut places = Vec::new();
        for (side, (price, size)) in [Side::Buy, Side::Sell].into_iter().zip(best) {
            let index = side as usize;
            let meets = |order: &BookOrder| order.side != side && !better(side, order.price, price);
            let quoted = (!polite || !view.clients.iter().any(meets)).then_some(price);
            let stays = quoted.is_some() && quoted == self.quoted[index];
            let far = self.far[index].filter(|far| quoted.is_some() && far_enough(side, *far, price));
            let far_there = view.makers.iter().any(|order| order.side == side && Some(order.price) == far);
            for order in view.makers.iter().filter(|order| order.side == side) {
                if Some(order.price) != far && !(stays && order.price == price) {
                    commands.push(cancel(order));
                }
            }
            let before = self.shown[index].replace((price, size)).map_or(Lots::ZERO, |(_, size)| size);
            match (quoted, stays) {
                (None, _) => {}
                (Some(price), false) => places.push(self.place(side, price, size)),
                (Some(price), true) if size > before => places.push(self.place(side, price, size - before)),
                (Some(price), true) => self.shrink(side, price, before - size, view, commands),
            }
            self.quoted[index] = quoted;
            self.far[index] = far.filter(|_| far_there);
            if self.far[index].is_none()
                && quoted.is_some()
                && let Some(far) = self.far_from(side, price)
            {
                self.far[index] = Some(far);
                places.push(self.place(side, far, Lots(self.assumed(price).0 * FAR_SIZE)));
            }
        }
        commands.append(&mut places);
    }

    /// Takes `less` out of the orders at a price, the newest ones first.
    fn shrink(&self, side: Side, price: Ticks, less: Lots, view: ReplayView<'_>, commands: &mut Vec<Command>) {
        let mut less = less;
        for order in view.makers.iter().rev().filter(|order| order.side == side && order.price == price) {
            let part = less.min(order.remaining);
            less -= part;
            if part == order.remaining {
                commands.push(cancel(order));
            } else if part > Lots::ZERO {
                let quantity = Some(order.quantity - part);
                let change =
                    ModifyOrder { account: AccountId::MAKER, order_id: order.id, quantity, limit: None, stop: None };
                commands.push(Command::Modify(change));
            }
        }
    }

    fn far_from(&self, side: Side, price: Ticks) -> Option<Ticks> {
        let away = far_distance(price);
        let far = match side {
            Side::Buy => Ticks(price.0 - away),
            Side::Sell => Ticks(price.0 + away),
        };
        (far > Ticks::ZERO && far <= self.max_price).then_some(far)
    }

    fn assumed(&self, price: Ticks) -> Lots {
        Lots((ASSUMED.0 / i128::from(price.0)) as i64).max(Lots(1)).min(Lots(self.max_quantity.0 / FAR_SIZE))
    }

    fn place(&self, side: Side, price: Ticks, quantity: Lots) -> Command {
        let quantity = quantity.min(self.max_quantity);
        Command::Place(PlaceOrder::limit(AccountId::MAKER, self.id, side, quantity, price))
    }
}

fn cancel(order: &BookOrder) -> Command {
    Command::Cancel { account: AccountId::MAKER, order_id: order.id }
}

fn far_distance(price: Ticks) -> i64 {
    price.0 / FAR + 2
}

/// The order far behind need not follow every move.
fn far_enough(side: Side, far: Ticks, price: Ticks) -> bool {
    let (away, usual) = ((far.0 - price.0).abs(), far_distance(price));
    better(side, price, far) && away * 2 >= usual && away <= usual * 2
}
