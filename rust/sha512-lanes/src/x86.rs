//! The compression function over lanes, by the vector instructions of two generations.

#![allow(clippy::many_single_char_names, clippy::too_many_arguments)] // the standard's names

use std::arch::x86_64 as x86;

use crate::lanes::Words;

pub(crate) const ROUNDS: [u64; 80] = [
    0x428a_2f98_d728_ae22,
    0x7137_4491_23ef_65cd,
    0xb5c0_fbcf_ec4d_3b2f,
    0xe9b5_dba5_8189_dbbc,
    0x3956_c25b_f348_b538,
    0x59f1_11f1_b605_d019,
    0x923f_82a4_af19_4f9b,
    0xab1c_5ed5_da6d_8118,
    0xd807_aa98_a303_0242,
    0x1283_5b01_4570_6fbe,
    0x2431_85be_4ee4_b28c,
    0x550c_7dc3_d5ff_b4e2,
    0x72be_5d74_f27b_896f,
    0x80de_b1fe_3b16_96b1,
    0x9bdc_06a7_25c7_1235,
    0xc19b_f174_cf69_2694,
    0xe49b_69c1_9ef1_4ad2,
    0xefbe_4786_384f_25e3,
    0x0fc1_9dc6_8b8c_d5b5,
    0x240c_a1cc_77ac_9c65,
    0x2de9_2c6f_592b_0275,
    0x4a74_84aa_6ea6_e483,
    0x5cb0_a9dc_bd41_fbd4,
    0x76f9_88da_8311_53b5,
    0x983e_5152_ee66_dfab,
    0xa831_c66d_2db4_3210,
    0xb003_27c8_98fb_213f,
    0xbf59_7fc7_beef_0ee4,
    0xc6e0_0bf3_3da8_8fc2,
    0xd5a7_9147_930a_a725,
    0x06ca_6351_e003_826f,
    0x1429_2967_0a0e_6e70,
    0x27b7_0a85_46d2_2ffc,
    0x2e1b_2138_5c26_c926,
    0x4d2c_6dfc_5ac4_2aed,
    0x5338_0d13_9d95_b3df,
    0x650a_7354_8baf_63de,
    0x766a_0abb_3c77_b2a8,
    0x81c2_c92e_47ed_aee6,
    0x9272_2c85_1482_353b,
    0xa2bf_e8a1_4cf1_0364,
    0xa81a_664b_bc42_3001,
    0xc24b_8b70_d0f8_9791,
    0xc76c_51a3_0654_be30,
    0xd192_e819_d6ef_5218,
    0xd699_0624_5565_a910,
    0xf40e_3585_5771_202a,
    0x106a_a070_32bb_d1b8,
    0x19a4_c116_b8d2_d0c8,
    0x1e37_6c08_5141_ab53,
    0x2748_774c_df8e_eb99,
    0x34b0_bcb5_e19b_48a8,
    0x391c_0cb3_c5c9_5a63,
    0x4ed8_aa4a_e341_8acb,
    0x5b9c_ca4f_7763_e373,
    0x682e_6ff3_d6b2_b8a3,
    0x748f_82ee_5def_b2fc,
    0x78a5_636f_4317_2f60,
    0x84c8_7814_a1f0_ab72,
    0x8cc7_0208_1a64_39ec,
    0x90be_fffa_2363_1e28,
    0xa450_6ceb_de82_bde9,
    0xbef9_a3f7_b2c6_7915,
    0xc671_78f2_e372_532b,
    0xca27_3ece_ea26_619c,
    0xd186_b8c7_21c0_c207,
    0xeada_7dd6_cde0_eb1e,
    0xf57d_4f7f_ee6e_d178,
    0x06f0_67aa_7217_6fba,
    0x0a63_7dc5_a2c8_98a6,
    0x113f_9804_bef9_0dae,
    0x1b71_0b35_131c_471b,
    0x28db_77f5_2304_7d84,
    0x32ca_ab7b_40c7_2493,
    0x3c9e_be0a_15c9_bebc,
    0x431d_67c4_9c10_0d4c,
    0x4cc5_d4be_cb3e_42b6,
    0x597f_299c_fc65_7e2a,
    0x5fcb_6fab_3ad6_faec,
    0x6c44_198c_4a47_5817,
];

/// The compression function over `$n` lanes by the operations of the module it stands in.
macro_rules! compression {
    ($features:literal, $n:literal, $vector:ty) => {
        type Vector = $vector;

        fn vector(words: Words<$n>) -> Vector {
            // SAFETY: both are so many bits, and any bits are a value of either.
            unsafe { std::mem::transmute(words) }
        }

        fn words(vector: Vector) -> Words<$n> {
            // SAFETY: as above.
            unsafe { std::mem::transmute(vector) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        fn round(
            a: Vector,
            b: Vector,
            c: Vector,
            d: &mut Vector,
            e: Vector,
            f: Vector,
            g: Vector,
            h: &mut Vector,
            word: Vector,
        ) {
            let first = add(add(*h, word), add(sum_e(e), choice(e, f, g)));
            *d = add(*d, first);
            *h = add(first, add(sum_a(a), majority(a, b, c)));
        }

        /// Takes a block of each lane into the state.
        #[target_feature(enable = $features)]
        pub(crate) fn compress(state: &mut [Words<$n>; 8], block: &[Words<$n>; 16]) {
            let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state.map(vector);
            let mut w = block.map(vector);
            // Written out: indices that are no constants would keep the schedule in memory.
            for (group, constants) in super::ROUNDS.as_chunks::<16>().0.iter().enumerate() {
                let last = group == 4;
                macro_rules! step {
                    ($at:expr, $a:ident $b:ident $c:ident $d:ident $e:ident $f:ident $g:ident $h:ident) => {
                        let word = add(w[$at], splat(constants[$at]));
                        round($a, $b, $c, &mut $d, $e, $f, $g, &mut $h, word);
                        if !last {
                            let low = sigma_low(w[($at + 1) % 16]);
                            let high = sigma_high(w[($at + 14) % 16]);
                            w[$at] = add(add(w[$at], low), add(w[($at + 9) % 16], high));
                        }
                    };
                }
                // Eight rounds bring each word back to its place: nothing has to be moved.
                macro_rules! eight {
                    ($at:expr) => {
                        step!($at, a b c d e f g h);
                        step!($at + 1, h a b c d e f g);
                        step!($at + 2, g h a b c d e f);
                        step!($at + 3, f g h a b c d e);
                        step!($at + 4, e f g h a b c d);
                        step!($at + 5, d e f g h a b c);
                        step!($at + 6, c d e f g h a b);
                        step!($at + 7, b c d e f g h a);
                    };
                }
                eight!(0);
                eight!(8);
            }
            for (state, vector) in state.iter_mut().zip([a, b, c, d, e, f, g, h]) {
                *state = words(add(self::vector(*state), vector));
            }
        }
    };
}

/// Eight lanes. The ternary operations take the truth table of three bits as a number.
pub(crate) mod avx512 {
    use super::{Words, x86};

    compression!("avx512f", 8, x86::__m512i);

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn splat(word: u64) -> Vector {
        x86::_mm512_set1_epi64(word.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn add(x: Vector, y: Vector) -> Vector {
        x86::_mm512_add_epi64(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn xor(x: Vector, y: Vector, z: Vector) -> Vector {
        x86::_mm512_ternarylogic_epi64::<0x96>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn choice(x: Vector, y: Vector, z: Vector) -> Vector {
        x86::_mm512_ternarylogic_epi64::<0xca>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn majority(x: Vector, y: Vector, z: Vector) -> Vector {
        x86::_mm512_ternarylogic_epi64::<0xe8>(x, y, z)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn right<const BITS: i32>(x: Vector) -> Vector {
        x86::_mm512_ror_epi64::<BITS>(x)
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sum_a(x: Vector) -> Vector {
        xor(right::<28>(x), right::<34>(x), right::<39>(x))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sum_e(x: Vector) -> Vector {
        xor(right::<14>(x), right::<18>(x), right::<41>(x))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sigma_low(x: Vector) -> Vector {
        xor(right::<1>(x), right::<8>(x), x86::_mm512_srli_epi64::<7>(x))
    }

    #[inline]
    #[target_feature(enable = "avx512f")]
    fn sigma_high(x: Vector) -> Vector {
        xor(
            right::<19>(x),
            right::<61>(x),
            x86::_mm512_srli_epi64::<6>(x),
        )
    }
}

/// Four lanes.
pub(crate) mod avx2 {
    use super::{Words, x86};

    compression!("avx2", 4, x86::__m256i);

    #[inline]
    #[target_feature(enable = "avx2")]
    fn splat(word: u64) -> Vector {
        x86::_mm256_set1_epi64x(word.cast_signed())
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn add(x: Vector, y: Vector) -> Vector {
        x86::_mm256_add_epi64(x, y)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn xor(x: Vector, y: Vector, z: Vector) -> Vector {
        x86::_mm256_xor_si256(x86::_mm256_xor_si256(x, y), z)
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn choice(x: Vector, y: Vector, z: Vector) -> Vector {
        x86::_mm256_xor_si256(z, x86::_mm256_and_si256(x, x86::_mm256_xor_si256(y, z)))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn majority(x: Vector, y: Vector, z: Vector) -> Vector {
        let both = x86::_mm256_and_si256(x, y);
        x86::_mm256_or_si256(both, x86::_mm256_and_si256(z, x86::_mm256_or_si256(x, y)))
    }

    /// `LEFT` is 64 less `BITS`.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn right<const BITS: i32, const LEFT: i32>(x: Vector) -> Vector {
        let low = x86::_mm256_srli_epi64::<BITS>(x);
        x86::_mm256_or_si256(low, x86::_mm256_slli_epi64::<LEFT>(x))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sum_a(x: Vector) -> Vector {
        xor(right::<28, 36>(x), right::<34, 30>(x), right::<39, 25>(x))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sum_e(x: Vector) -> Vector {
        xor(right::<14, 50>(x), right::<18, 46>(x), right::<41, 23>(x))
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sigma_low(x: Vector) -> Vector {
        xor(
            right::<1, 63>(x),
            right::<8, 56>(x),
            x86::_mm256_srli_epi64::<7>(x),
        )
    }

    #[inline]
    #[target_feature(enable = "avx2")]
    fn sigma_high(x: Vector) -> Vector {
        xor(
            right::<19, 45>(x),
            right::<61, 3>(x),
            x86::_mm256_srli_epi64::<6>(x),
        )
    }
}
