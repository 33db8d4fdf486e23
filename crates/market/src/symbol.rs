//! From the name of a file to the symbol that is traded here.

use std::path::Path;

/// The symbol in the name of a file of an exchange's dump: `BTCUSDT-trades-2021-01-08.csv` is of `BTCUSDT`.
pub fn symbol_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let symbol = name.split(['-', '_', '.']).next().filter(|symbol| symbol.len() >= 3)?;
    symbol.chars().all(|letter| letter.is_ascii_alphanumeric()).then(|| symbol.to_ascii_uppercase())
}

/// The symbol under which that of another exchange is traded here: dollars of a stablecoin are dollars, and a perpetual
/// future has the price of what it follows.
pub fn traded_as(symbol: &str) -> String {
    let base = ["USDT", "USDC", "BUSD", "FDUSD", "PERP"].into_iter().find_map(|quote| symbol.strip_suffix(quote));
    base.filter(|base| !base.is_empty()).map_or_else(|| symbol.to_owned(), |base| format!("{base}USD"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_dump_says_its_symbol() {
        let symbol = |name: &str| symbol_of(Path::new(name)).map(|symbol| traded_as(&symbol));
        assert_eq!(
            symbol("/data/BTCUSDT-trades-2021-01-08.csv").as_deref(),
            Some("BTCUSD"),
            "a stablecoin is a dollar"
        );
        assert_eq!(symbol("BTCPERP-1m-2022-01.csv").as_deref(), Some("BTCUSD"), "a future follows its underlying");
        assert_eq!(symbol("ethusdc.csv").as_deref(), Some("ETHUSD"), "letters of any size");
        assert_eq!(symbol("ETHUSD_1m.csv").as_deref(), Some("ETHUSD"), "it may be ours already");
        assert_eq!(symbol("2021.csv").as_deref(), Some("2021"), "which is no symbol that is traded, and will be told");
        assert_eq!(symbol("x.csv"), None, "nothing to go by");
    }
}
