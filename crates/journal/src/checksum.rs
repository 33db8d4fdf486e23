//! The checksum of a record: FNV-1a with 64 bits ("The FNV Non-Cryptographic Hash Algorithm", RFC 9923). Finds damage,
//! withstands nobody.

const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Over the sequence number that the record claims and its bytes.
pub(crate) fn checksum(sequence: u64, bytes: &[u8]) -> u64 {
    let all = sequence.to_le_bytes().into_iter().chain(bytes.iter().copied());
    all.fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_counts() {
        let (bytes, sequence) = ([7_u8; 40], 12);
        let sound = checksum(sequence, &bytes);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(checksum(sequence, &flipped), sound, "a flipped bit {bit} must show");
        }
        assert_ne!(checksum(sequence + 1, &bytes), sound, "a record in the wrong place must show");
    }
}
