//! Kubernetes quantities and Prometheus sizes, read in one place.

/// Whether the text is a quantity: a number with an optional suffix.
#[must_use]
pub fn is_quantity(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let number_end = unsigned
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(unsigned.len());
    let (number, suffix) = unsigned.split_at(number_end);
    let numeric = number.chars().any(|c| c.is_ascii_digit()) && number.matches('.').count() <= 1;
    const SUFFIXES: [&str; 16] = [
        "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei",
    ];
    let exponent = suffix.strip_prefix(['e', 'E']).is_some_and(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.len() <= 3 && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    numeric && (SUFFIXES.contains(&suffix) || exponent)
}

/// The quantity as a number, for comparing two of them. Rounding errors do not matter for that.
#[must_use]
pub fn value(text: &str) -> Option<f64> {
    let end = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let factor = match suffix {
        "" => 1.0,
        "n" => 1e-9,
        "u" => 1e-6,
        "m" => 1e-3,
        "k" => 1e3,
        "M" => 1e6,
        "G" => 1e9,
        "T" => 1e12,
        "P" => 1e15,
        "E" => 1e18,
        "Ki" => 1024.0,
        "Mi" => 1_048_576.0,
        "Gi" => 1_073_741_824.0,
        "Ti" => 1_099_511_627_776.0,
        "Pi" => 1_125_899_906_842_624.0,
        "Ei" => 1_152_921_504_606_846_976.0,
        exponent => return format!("{number}{}", exponent.to_ascii_lowercase()).parse().ok(),
    };
    number.parse::<f64>().ok().map(|number| number * factor)
}

/// Whether the text is a size in Prometheus's form, such as `10MiB`.
#[must_use]
pub fn is_byte_size(text: &str) -> bool {
    let number_end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(number_end);
    let prefix = unit
        .strip_suffix('B')
        .map(|prefix| prefix.strip_suffix('i').unwrap_or(prefix));
    let known = prefix.is_some_and(|prefix| ["", "K", "M", "G", "T", "P", "E"].contains(&prefix)) && unit != "iB";
    known && number.parse::<f64>().is_ok_and(|number| number > 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_recognised() {
        for text in ["1", "50m", "64Mi", "1.5", ".5", "1e3", "1E-3", "-1", "2Gi"] {
            assert!(is_quantity(text), "{text}");
        }
        for text in ["", "m", "1mm", "1 Gi", "1MB", "one", "1.2.3", "e3"] {
            assert!(!is_quantity(text), "{text}");
        }
    }

    #[test]
    fn sizes_are_recognised() {
        for text in ["10MiB", "1B", "1.5GB", "512KB"] {
            assert!(is_byte_size(text), "{text}");
        }
        for text in ["", "10", "10Mi", "iB", "10iB", "0MiB", "1.2.3MB", "10 MiB"] {
            assert!(!is_byte_size(text), "{text}");
        }
    }

    #[test]
    fn quantities_compare_across_suffixes() {
        assert!(value("1Gi") > value("1000Mi"));
        assert_eq!(value("1000m"), value("1"));
        assert_eq!(value("1e3"), value("1k"));
    }
}
