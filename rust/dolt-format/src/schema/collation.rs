//! MySQL's names and numbers of collations, as far as dolt has them.

/// The number of `utf8mb4_0900_bin`, which dolt takes where nothing else is said.
pub const DEFAULT: u16 = 309;

/// The name of collation `number`.
#[must_use]
pub fn name(number: u16) -> Option<&'static str> {
    let at = COLLATIONS
        .binary_search_by_key(&number, |(number, _)| *number)
        .ok()?;
    COLLATIONS.get(at).map(|(_, name)| *name)
}

/// The number of the collation called `name`, in any case.
#[must_use]
pub fn number(name: &str) -> Option<u16> {
    COLLATIONS
        .iter()
        .find(|(_, known)| known.eq_ignore_ascii_case(name))
        .map(|(number, _)| *number)
}

/// The character set of the collation called `name`.
#[must_use]
pub fn character_set(name: &str) -> &str {
    name.split_once('_').map_or(name, |(set, _)| set)
}

/// The collation that a character set stands for where none is named.
#[must_use]
pub fn of_character_set(name: &str) -> Option<u16> {
    let lower = name.to_ascii_lowercase();
    let known = if lower == "utf8" { "utf8mb3" } else { &lower };
    DEFAULTS
        .iter()
        .find(|(set, _)| *set == known)
        .map(|(_, number)| *number)
}

/// The collation that each character set stands for.
const DEFAULTS: [(&str, u16); 14] = [
    ("armscii8", 32),
    ("ascii", 11),
    ("binary", 63),
    ("cp1256", 57),
    ("cp1257", 59),
    ("dec8", 3),
    ("geostd8", 92),
    ("latin1", 8),
    ("latin7", 41),
    ("swe7", 10),
    ("utf16", 54),
    ("utf32", 60),
    ("utf8mb3", 33),
    ("utf8mb4", 255),
];

/// Sorted by number.
#[rustfmt::skip]
const COLLATIONS: [(u16, &str); 183] = [
    (3, "dec8_swedish_ci"), (5, "latin1_german1_ci"), (8, "latin1_swedish_ci"),
    (10, "swe7_swedish_ci"), (11, "ascii_general_ci"), (15, "latin1_danish_ci"),
    (20, "latin7_estonian_cs"), (29, "cp1257_lithuanian_ci"), (31, "latin1_german2_ci"),
    (32, "armscii8_general_ci"), (33, "utf8mb3_general_ci"), (41, "latin7_general_ci"),
    (42, "latin7_general_cs"), (45, "utf8mb4_general_ci"), (46, "utf8mb4_bin"), (47, "latin1_bin"),
    (48, "latin1_general_ci"), (49, "latin1_general_cs"), (54, "utf16_general_ci"),
    (55, "utf16_bin"), (57, "cp1256_general_ci"), (58, "cp1257_bin"), (59, "cp1257_general_ci"),
    (60, "utf32_general_ci"), (61, "utf32_bin"), (63, "binary"), (64, "armscii8_bin"),
    (65, "ascii_bin"), (67, "cp1256_bin"), (69, "dec8_bin"), (76, "utf8mb3_tolower_ci"),
    (79, "latin7_bin"), (82, "swe7_bin"), (83, "utf8mb3_bin"), (92, "geostd8_general_ci"),
    (93, "geostd8_bin"), (94, "latin1_spanish_ci"), (101, "utf16_unicode_ci"),
    (102, "utf16_icelandic_ci"), (103, "utf16_latvian_ci"), (104, "utf16_romanian_ci"),
    (105, "utf16_slovenian_ci"), (106, "utf16_polish_ci"), (107, "utf16_estonian_ci"),
    (108, "utf16_spanish_ci"), (109, "utf16_swedish_ci"), (110, "utf16_turkish_ci"),
    (111, "utf16_czech_ci"), (112, "utf16_danish_ci"), (113, "utf16_lithuanian_ci"),
    (114, "utf16_slovak_ci"), (115, "utf16_spanish2_ci"), (116, "utf16_roman_ci"),
    (117, "utf16_persian_ci"), (118, "utf16_esperanto_ci"), (119, "utf16_hungarian_ci"),
    (120, "utf16_sinhala_ci"), (121, "utf16_german2_ci"), (122, "utf16_croatian_ci"),
    (123, "utf16_unicode_520_ci"), (124, "utf16_vietnamese_ci"), (160, "utf32_unicode_ci"),
    (161, "utf32_icelandic_ci"), (162, "utf32_latvian_ci"), (163, "utf32_romanian_ci"),
    (164, "utf32_slovenian_ci"), (165, "utf32_polish_ci"), (166, "utf32_estonian_ci"),
    (167, "utf32_spanish_ci"), (168, "utf32_swedish_ci"), (169, "utf32_turkish_ci"),
    (170, "utf32_czech_ci"), (171, "utf32_danish_ci"), (172, "utf32_lithuanian_ci"),
    (173, "utf32_slovak_ci"), (174, "utf32_spanish2_ci"), (175, "utf32_roman_ci"),
    (176, "utf32_persian_ci"), (177, "utf32_esperanto_ci"), (178, "utf32_hungarian_ci"),
    (179, "utf32_sinhala_ci"), (180, "utf32_german2_ci"), (181, "utf32_croatian_ci"),
    (182, "utf32_unicode_520_ci"), (183, "utf32_vietnamese_ci"), (192, "utf8mb3_unicode_ci"),
    (193, "utf8mb3_icelandic_ci"), (194, "utf8mb3_latvian_ci"), (195, "utf8mb3_romanian_ci"),
    (196, "utf8mb3_slovenian_ci"), (197, "utf8mb3_polish_ci"), (198, "utf8mb3_estonian_ci"),
    (199, "utf8mb3_spanish_ci"), (200, "utf8mb3_swedish_ci"), (201, "utf8mb3_turkish_ci"),
    (202, "utf8mb3_czech_ci"), (203, "utf8mb3_danish_ci"), (204, "utf8mb3_lithuanian_ci"),
    (205, "utf8mb3_slovak_ci"), (206, "utf8mb3_spanish2_ci"), (207, "utf8mb3_roman_ci"),
    (208, "utf8mb3_persian_ci"), (209, "utf8mb3_esperanto_ci"), (210, "utf8mb3_hungarian_ci"),
    (211, "utf8mb3_sinhala_ci"), (212, "utf8mb3_german2_ci"), (213, "utf8mb3_croatian_ci"),
    (214, "utf8mb3_unicode_520_ci"), (215, "utf8mb3_vietnamese_ci"),
    (223, "utf8mb3_general_mysql500_ci"), (224, "utf8mb4_unicode_ci"),
    (225, "utf8mb4_icelandic_ci"), (226, "utf8mb4_latvian_ci"), (227, "utf8mb4_romanian_ci"),
    (228, "utf8mb4_slovenian_ci"), (229, "utf8mb4_polish_ci"), (230, "utf8mb4_estonian_ci"),
    (231, "utf8mb4_spanish_ci"), (232, "utf8mb4_swedish_ci"), (233, "utf8mb4_turkish_ci"),
    (234, "utf8mb4_czech_ci"), (235, "utf8mb4_danish_ci"), (236, "utf8mb4_lithuanian_ci"),
    (237, "utf8mb4_slovak_ci"), (238, "utf8mb4_spanish2_ci"), (239, "utf8mb4_roman_ci"),
    (240, "utf8mb4_persian_ci"), (241, "utf8mb4_esperanto_ci"), (242, "utf8mb4_hungarian_ci"),
    (243, "utf8mb4_sinhala_ci"), (244, "utf8mb4_german2_ci"), (245, "utf8mb4_croatian_ci"),
    (246, "utf8mb4_unicode_520_ci"), (247, "utf8mb4_vietnamese_ci"), (255, "utf8mb4_0900_ai_ci"),
    (256, "utf8mb4_de_pb_0900_ai_ci"), (257, "utf8mb4_is_0900_ai_ci"),
    (258, "utf8mb4_lv_0900_ai_ci"), (259, "utf8mb4_ro_0900_ai_ci"), (260, "utf8mb4_sl_0900_ai_ci"),
    (261, "utf8mb4_pl_0900_ai_ci"), (262, "utf8mb4_et_0900_ai_ci"), (263, "utf8mb4_es_0900_ai_ci"),
    (264, "utf8mb4_sv_0900_ai_ci"), (265, "utf8mb4_tr_0900_ai_ci"), (266, "utf8mb4_cs_0900_ai_ci"),
    (267, "utf8mb4_da_0900_ai_ci"), (268, "utf8mb4_lt_0900_ai_ci"), (269, "utf8mb4_sk_0900_ai_ci"),
    (270, "utf8mb4_es_trad_0900_ai_ci"), (271, "utf8mb4_la_0900_ai_ci"),
    (273, "utf8mb4_eo_0900_ai_ci"), (274, "utf8mb4_hu_0900_ai_ci"), (275, "utf8mb4_hr_0900_ai_ci"),
    (277, "utf8mb4_vi_0900_ai_ci"), (278, "utf8mb4_0900_as_cs"), (279, "utf8mb4_de_pb_0900_as_cs"),
    (280, "utf8mb4_is_0900_as_cs"), (281, "utf8mb4_lv_0900_as_cs"), (282, "utf8mb4_ro_0900_as_cs"),
    (283, "utf8mb4_sl_0900_as_cs"), (284, "utf8mb4_pl_0900_as_cs"), (285, "utf8mb4_et_0900_as_cs"),
    (286, "utf8mb4_es_0900_as_cs"), (287, "utf8mb4_sv_0900_as_cs"), (288, "utf8mb4_tr_0900_as_cs"),
    (289, "utf8mb4_cs_0900_as_cs"), (290, "utf8mb4_da_0900_as_cs"), (291, "utf8mb4_lt_0900_as_cs"),
    (292, "utf8mb4_sk_0900_as_cs"), (293, "utf8mb4_es_trad_0900_as_cs"),
    (294, "utf8mb4_la_0900_as_cs"), (296, "utf8mb4_eo_0900_as_cs"), (297, "utf8mb4_hu_0900_as_cs"),
    (298, "utf8mb4_hr_0900_as_cs"), (300, "utf8mb4_vi_0900_as_cs"), (303, "utf8mb4_ja_0900_as_cs"),
    (304, "utf8mb4_ja_0900_as_cs_ks"), (305, "utf8mb4_0900_as_ci"), (306, "utf8mb4_ru_0900_ai_ci"),
    (307, "utf8mb4_ru_0900_as_cs"), (308, "utf8mb4_zh_0900_as_cs"), (309, "utf8mb4_0900_bin"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collations_are_found_by_name_and_number() {
        assert!(COLLATIONS.is_sorted_by_key(|(number, _)| *number));
        for (number, name) in COLLATIONS {
            assert_eq!(super::name(number), Some(name));
            assert_eq!(super::number(&name.to_uppercase()), Some(number));
        }
        for (set, default) in DEFAULTS {
            assert_eq!(name(default).map(character_set), Some(set));
        }
        assert_eq!(name(0), None);
        assert_eq!(of_character_set("UTF8"), number("utf8mb3_general_ci"));
        assert_eq!(of_character_set("binary").and_then(name), Some("binary"));
    }
}
