use std::path::PathBuf;

use super::*;

const TRADES: &str = "id,price,qty,quote_qty,time,is_buyer_maker,is_best_match
1,39432.48,0.000263,10.37,1610064000278,true,true
2,39439.44,0.5,19719.72,1610064000310,false,true
3,39439.44,0.25,9859.86,1610064000310,false,true
4,39430.005,1,39430.01,1610064001000,true,true
";
const TICKER: &str = "1,39432.99,0.0031,39433.62,0.066851,1610064001076,1610064001076
2,39432.33,2.0,39433.60,0.00001,1610064001157,1610064001157
";

fn file(text: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("BTCUSDT-made-up.csv");
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

fn read(text: impl AsRef<[u8]>) -> Result<Vec<Step>, String> {
    let (_folder, path) = file(text);
    let mut tape = Tape::open(&path, Instrument::btcusd()).map_err(|error| error.to_string())?;
    let mut steps = Vec::new();
    while let Some(step) = tape.next_step().map_err(|error| error.to_string())? {
        steps.push(step);
    }
    Ok(steps)
}

fn trade(millis: i64, price: i64, lots: i64, taker_side: Side, exact: bool) -> Step {
    let what = Happening::Trade { price: Ticks(price), quantity: Lots(lots), taker_side, exact };
    Step { at: Timestamp(millis * 1_000_000), what }
}

#[test]
fn trades_are_read_with_and_without_a_head() {
    let expected = vec![
        trade(1_610_064_000_278, 3_943_248, 2, Side::Sell, true),
        trade(1_610_064_000_310, 3_943_944, 5_000, Side::Buy, true),
        trade(1_610_064_000_310, 3_943_944, 2_500, Side::Buy, true),
        trade(1_610_064_001_000, 3_943_001, 10_000, Side::Sell, true),
    ];
    assert_eq!(read(TRADES), Ok(expected.clone()), "lots are rounded down, prices to the nearest tick");
    let (_, bare) = TRADES.split_once('\n').unwrap();
    assert_eq!(read(bare), Ok(expected.clone()), "many dumps have no head");
    assert_eq!(read(format!("\u{feff}{}", TRADES.replace('\n', "\r\n\r\n"))), Ok(expected.clone()), "from Windows");
    let moved = "price,time,is_buyer_maker,qty\n39432.48,1610064000278,True,0.000263\n";
    assert_eq!(read(moved), Ok(expected[..1].to_vec()), "a head says where everything is");
    let micros = "1,39432.48,0.000263,10.37,1610064000278000,true\n";
    assert_eq!(read(micros), Ok(expected[..1].to_vec()), "newer dumps count microseconds, futures have six columns");
}

#[test]
fn a_book_ticker_is_read() {
    let quote = |millis: i64, bid: [i64; 2], ask: [i64; 2]| Step {
        at: Timestamp(millis * 1_000_000),
        what: Happening::Quote { bid: (Ticks(bid[0]), Lots(bid[1])), ask: (Ticks(ask[0]), Lots(ask[1])) },
    };
    let expected = vec![
        quote(1_610_064_001_076, [3_943_299, 31], [3_943_362, 668]),
        quote(1_610_064_001_157, [3_943_233, 20_000], [3_943_360, 1]),
    ];
    assert_eq!(read(TICKER), Ok(expected.clone()), "what is offered is at least one lot");
    let head = "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,event_time\n";
    assert_eq!(read(format!("{head}{TICKER}")), Ok(expected), "with a head too");
}

#[test]
fn a_bar_is_the_path_to_the_nearer_end_first() {
    let bars = "1640991660000,100.00,110.00,97.00,105.00,840.0,1640991719999
1640991720000,105.00,105.00,105.00,105.00,0,1640991779999
1640991780000,105.00,105.00,105.00,105.00,105,1640991839999
";
    let points: Vec<_> =
        read(bars).unwrap().into_iter().map(|step| (step.at.millis() % 1_000_000, step.what)).collect();
    let point = |price: i64, lots: i64, taker_side| Happening::Trade {
        price: Ticks(price),
        quantity: Lots(lots),
        taker_side,
        exact: false,
    };
    let expected = [
        (660_000, point(10_000, 21_000, Side::Buy)),
        (674_999, point(9_700, 21_000, Side::Sell)),
        (689_999, point(11_000, 21_000, Side::Buy)),
        (704_999, point(10_500, 21_000, Side::Sell)),
        (780_000, point(10_500, 10_000, Side::Buy)),
    ];
    assert_eq!(points, expected, "840 USD at 100.00 in four parts; nothing happens in a bar without a trade");
    let base = "1640991660000,100.00,110.00,97.00,105.00,8.4,1640991719999,880,5,4,400,0\n";
    let first = read(base).unwrap()[0].what;
    assert_eq!(first, point(10_000, 21_000, Side::Buy), "where quote volume has its own column, volume counts coins");
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    let swapped = TRADES.replace("1610064001000", "1610064000300");
    for (text, expected) in [
        (TRADES.replace("39439.44,0.25", "39439.4x,0.25"), "line 4: price is \"39439.4x\"; it must be a number"),
        (TRADES.replace("0.25", "-0.25"), "line 4: qty is \"-0.25\""),
        (TRADES.replace("39430.005,1,", "0,1,"), "line 5: price is \"0\"; it must be from one tick"),
        (TRADES.replace("310,false,true\n4", "310,maybe,true\n4"), "line 4: is_buyer_maker is \"maybe\""),
        (TRADES.replace(",0.25,", ",0.25,7,"), "line 4: 8 columns instead of the 7 of these trades"),
        (swapped, "line 5: its time 2021-01-08T00:00:00.300Z is before 2021-01-08T00:00:00.310Z of the line above"),
        (TRADES.replace("1610064001000", "161006400100"), "line 5: time is \"161006400100\"; it must be milliseconds"),
        (TRADES.replace("39439.44,0.25", &"9".repeat(2_000)), "line 4: the line is longer than 1,024 bytes"),
        (TICKER.replace("39433.60", "39432.33"), "line 2: best_bid_price is \"39432.33\"; it must be below"),
        ("1640991660000,100,99,97,98,1,1640991719999".to_owned(), "line 1: high is \"99\"; it must be the highest"),
        ("1640991660000,100,110,101,105,1,1640991719999".to_owned(), "line 1: low is \"101\"; it must be the lowest"),
        ("a,b,c\n1,2,3\n".to_owned(), "line 1: \"a,b,c\" begins no file that can be played, with its 3 columns"),
        ("\n\nhello\n".to_owned(), "line 3: \"hello\" begins no file"),
        (String::new(), "is empty"),
        ("\n \n".to_owned(), "is empty"),
    ] {
        let error = read(&text).expect_err(expected);
        assert!(error.contains("BTCUSDT-made-up.csv") && error.contains(expected), "{error:?} must say {expected:?}");
    }
    for (magic, expected) in
        [(&b"\x1f\x8b\x08"[..], "gzip; unpack it first, for example with gunzip"), (b"PK\x03\x04", "zip")]
    {
        assert!(read(magic).unwrap_err().contains(expected), "a person is told how to go on: {expected}");
    }
    let folder = tempfile::tempdir().unwrap();
    let open = |path: &Path| Tape::open(path, Instrument::btcusd()).map(drop).unwrap_err().to_string();
    assert!(open(folder.path()).contains("is no file"), "a folder");
    assert!(open(&folder.path().join("none.csv")).contains("cannot be read: No such file"), "nothing");
}

#[test]
fn every_moment_is_found() {
    let times: Vec<i64> = (0..500).map(|index| 1_610_064_000_000 + index / 3 * 7).collect();
    let text: String = times.iter().map(|time| format!("1,39432.48,1,1,{time},true,true\n\n")).collect();
    let (_folder, path) = file(format!("{}{text}", TRADES.split_inclusive('\n').next().unwrap()));
    let mut tape = Tape::open(&path, Instrument::btcusd()).unwrap();
    for to in (times[0] - 3)..(times[499] + 4) {
        tape.seek(Timestamp(to * 1_000_000)).unwrap();
        let found = tape.next_step().unwrap().map(|step| step.at.millis());
        let expected = times.iter().copied().find(|time| *time >= to);
        assert_eq!(found, expected, "the first line at or after {to}");
        let rest = std::iter::from_fn(|| tape.next_step().unwrap()).count();
        let left = times.iter().filter(|time| **time >= to).count();
        assert_eq!(rest + usize::from(found.is_some()), left, "and all that follow it");
    }
    tape.rewind().unwrap();
    assert_eq!(std::iter::from_fn(|| tape.next_step().unwrap()).count(), 500, "and the beginning");
}

#[test]
fn a_file_is_checked_before_it_is_played() {
    let (_folder, path) = file(TRADES);
    let facts = TapeFacts::of(&path, Instrument::btcusd()).unwrap();
    assert_eq!((facts.format, facts.steps, facts.bytes), (Format::Trades, Some(4), TRADES.len() as u64), "{facts:?}");
    assert_eq!((facts.from.millis(), facts.to.millis()), (1_610_064_000_278, 1_610_064_001_000), "its first and last");
    assert_eq!(facts.range, Some((Ticks(3_943_001), Ticks(3_943_944))), "its prices");
    let head = TRADES.lines().next().unwrap();
    let (_folder, path) = file(head);
    assert!(TapeFacts::of(&path, Instrument::btcusd()).unwrap_err().to_string().contains("is empty"), "a head alone");
}
