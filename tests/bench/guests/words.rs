// words.rs - Rust: text is generated, split, counted in a hash map, sorted, formatted; enums and
// pattern matching in a small evaluator; iterators and slices with bounds checks.
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;

fn random(state: &mut u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    *state
}

fn mix(sum: u64, value: u64) -> u64 {
    let sum = (sum ^ value).wrapping_mul(0x9e3779b97f4a7c15);
    sum ^ (sum >> 29)
}

fn text(seed: &mut u32) -> String {
    const SYLLABLES: [&str; 8] = ["ba", "ko", "ri", "na", "tu", "sel", "mo", "\u{e9}"];
    let mut out = String::new();
    for _ in 0..400 {
        for _ in 0..1 + random(seed) % 3 {
            out.push_str(SYLLABLES[(random(seed) >> 29) as usize]);
        }
        out.push(if random(seed) % 9 == 0 { '\n' } else { ' ' });
    }
    out
}

fn count(text: &str) -> Vec<(String, usize)> {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for word in text.split_whitespace() {
        *counts.entry(word).or_insert(0) += 1;
    }
    let mut list: Vec<_> = counts.into_iter().map(|(w, n)| (w.to_uppercase(), n)).collect();
    list.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    list
}

fn by_length(text: &str) -> BTreeMap<usize, Vec<String>> {
    let mut map: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for line in text.lines() {
        let reversed: String = line.trim().chars().rev().collect();
        map.entry(reversed.len()).or_default().push(reversed);
    }
    map
}

enum Expr {
    Number(i64),
    Negate(Box<Expr>),
    Binary(char, Box<Expr>, Box<Expr>),
}

fn grow(seed: &mut u32, depth: u32) -> Expr {
    let r = random(seed);
    match (depth, r % 5) {
        (0, _) | (_, 0) => Expr::Number((r >> 16) as i64),
        (_, 1) => Expr::Negate(Box::new(grow(seed, depth - 1))),
        (_, k) => Expr::Binary(
            ['+', '-', '*'][k as usize - 2],
            Box::new(grow(seed, depth - 1)),
            Box::new(grow(seed, depth - 1)),
        ),
    }
}

fn evaluate(e: &Expr) -> Option<i64> {
    Some(match e {
        Expr::Number(n) => *n,
        Expr::Negate(a) => -evaluate(a)?,
        Expr::Binary('+', a, b) => evaluate(a)?.checked_add(evaluate(b)?)?,
        Expr::Binary('-', a, b) => evaluate(a)?.checked_sub(evaluate(b)?)?,
        Expr::Binary(_, a, b) => evaluate(a)?.checked_mul(evaluate(b)?)?,
    })
}

fn main() {
    let preset = 490;
    let n = match std::env::args().nth(1) {
        None => preset,
        Some(a) => match a.strip_suffix('%') {
            Some(p) => preset * p.parse::<u64>().unwrap() / 100,
            None => a.parse().unwrap(),
        },
    }
    .max(1);
    let mut sum = 0u64;
    for _ in 0..n {
        let mut seed = sum as u32 | 1;
        let text = text(&mut seed);
        let mut report = String::new();
        for (word, times) in count(&text).iter().take(40) {
            writeln!(report, "{:<12} {:>4} {:.3}", word, times, *times as f64 / 400.0).unwrap();
        }
        for (length, lines) in &by_length(&text) {
            sum = mix(sum, *length as u64 + lines.iter().map(|l| l.len() as u64).sum::<u64>());
        }
        for chunk in report.as_bytes().chunks(8) {
            sum = mix(sum, chunk.iter().fold(0, |v, b| v << 8 | *b as u64));
        }
        for _ in 0..20 {
            let e = grow(&mut seed, 7);
            sum = mix(sum, evaluate(&e).unwrap_or(-1) as u64);
        }
    }
    println!("words iterations={} checksum={:016x}", n, sum);
}
