//! The simulated market on the real exchange: it keeps a book, moves the price, stays bounded and is reproducible.

use cwts_domain::{AccountId, Cash, Command, Instrument, InstrumentId, Lots, PlaceOrder, Side, Timestamp};
use cwts_engine::{self as engine, Exchange, OpeningAccount};
use cwts_market::{LEVELS, MakerOrder, MarketView, Simulator};

/// A client without limits, who can empty the book.
const WHALE: AccountId = AccountId(9);
const STEPS: i64 = 20_000;
const BTCUSD: InstrumentId = InstrumentId(0);

struct Market {
    exchange: Exchange,
    simulator: Simulator,
    steps: i64,
}

impl Market {
    fn open(seed: u64) -> Self {
        let instrument = Instrument::btcusd();
        let whale = OpeningAccount { limits: None, ..OpeningAccount::client(WHALE, Cash::ZERO) };
        let accounts = OpeningAccount::defaults().into_iter().chain([whale]);
        let start = Simulator::start_price(&instrument);
        Self {
            exchange: Exchange::new([instrument.clone()], accounts),
            simulator: Simulator::new(seed, BTCUSD, instrument, start),
            steps: 0,
        }
    }

    fn btcusd(&self) -> &engine::Market {
        &self.exchange.markets()[0]
    }

    fn step(&mut self) {
        self.steps += 1;
        let open = self.exchange.open_orders(AccountId::MAKER);
        let maker_orders: Vec<_> =
            open.filter_map(|order| Some(MakerOrder { id: order.id, side: order.side, price: order.limit? })).collect();
        let last = self.btcusd().last_trade().map(|trade| trade.price);
        for command in self.simulator.step(&MarketView { last, maker_orders: &maker_orders }) {
            let answer = self.exchange.execute(&command, Timestamp(self.steps * 100_000_000));
            assert!(answer.is_ok(), "step {}: {command:?} was refused: {answer:?}", self.steps);
        }
    }

    fn trade(&mut self, account: AccountId, side: Side, quantity: i64) -> bool {
        let order = PlaceOrder::market(account, BTCUSD, side, Lots(quantity));
        self.exchange.execute(&Command::Place(order), Timestamp(self.steps * 100_000_000)).is_ok()
    }

    /// Checks what holds after every step; looks into every corner of the exchange at every tenth only.
    fn assert_healthy(&self, context: &str) {
        if self.steps % 10 == 0 {
            assert_eq!(self.exchange.audit(), Ok(()), "the exchange must be consistent, {context}");
        }
        for side in [Side::Buy, Side::Sell] {
            let levels = self.btcusd().depth(side, usize::MAX).len();
            // The takers come after the makers and may have emptied a few levels.
            assert!((3..=LEVELS).contains(&levels), "{levels} {side} levels, {context}");
        }
        let [makers, takers] = [AccountId::MAKER, AccountId::TAKER].map(|id| self.exchange.open_orders(id).count());
        assert!(makers <= 2 * LEVELS && takers == 0, "open orders must be bounded: {makers} and {takers}, {context}");
    }
}

#[test]
fn the_market_keeps_a_book_and_moves_the_price() {
    for seed in 1..=2 {
        let mut market = Market::open(seed);
        let mut spreads = Vec::new();
        for step in 0..STEPS {
            market.step();
            market.assert_healthy(&format!("seed {seed}, step {step}"));
            let (Some(bid), Some(ask)) = (market.btcusd().best_bid(), market.btcusd().best_ask()) else {
                panic!("seed {seed}, step {step}: a side of the book is empty");
            };
            spreads.push(ask.0 - bid.0);
        }
        spreads.sort_unstable();
        let (median, widest) = (spreads[spreads.len() / 2], spreads[spreads.len() - 1]);
        assert!((2..=200).contains(&median), "a typical spread is at most 2 USD, not {median} ticks; seed {seed}");
        assert!(widest <= 10_000, "no spread is beyond 100 USD: {widest} ticks; seed {seed}");
        let session = market.btcusd().session();
        let range = session.high.zip(session.low).map_or(0, |(high, low)| high.0 - low.0);
        assert!(range > 6_400, "within half an hour the price moves by more than 64 USD: {range} ticks; seed {seed}");
        let trades_per_second = session.trades * 10 / STEPS as u64;
        assert!((1..=20).contains(&trades_per_second), "{trades_per_second} trades a second; seed {seed}");
    }
}

#[test]
fn the_same_seed_gives_an_equal_exchange() {
    let run = || {
        let mut market = Market::open(42);
        (0..2_000).for_each(|_| market.step());
        market.exchange
    };
    assert_eq!(run(), run(), "a session must be reproducible down to the last unit of cash");
}

#[test]
fn an_emptied_book_is_full_again_after_one_step() {
    let mut market = Market::open(1);
    for round in 0..100 {
        market.step();
        let side = if round % 2 == 0 { Side::Buy } else { Side::Sell };
        assert!(market.trade(WHALE, side, 10_000_000), "the whale may trade, round {round}");
        assert_eq!(market.btcusd().depth(side.opposite(), 1), [], "1,000 BTC take all there is, round {round}");
        market.step();
        market.assert_healthy(&format!("round {round}"));
    }
}

#[test]
fn a_paper_account_trades_in_it_and_its_profit_adds_up() {
    let mut market = Market::open(5);
    let mut traded = 0;
    for step in 0..2_000 {
        market.step();
        let side = if step / 7 % 2 == 0 { Side::Buy } else { Side::Sell };
        traded += i32::from(market.trade(AccountId::PAPER, side, 500));
        market.assert_healthy(&format!("step {step}"));
    }
    assert!(traded > 1_900, "a small account trades without being refused: {traded}");
    let exchange = &market.exchange;
    let account = exchange.account(AccountId::PAPER).expect("the paper account");
    assert!(account.fees_paid() > Cash::ZERO, "a taker pays for trading");
    let profit = account.realised_pnl() + exchange.unrealised_pnl(account);
    assert_eq!(exchange.equity(account), account.opening_cash() + profit, "profit explains the equity, fees included");
}
