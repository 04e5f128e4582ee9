//! ledger DIR: a double-entry ledger over the text files of DIR, for tests/real/run.sh.
//!
//! Reads every *.txt under DIR (lines `account amount comment`), writes DIR/report/summary.csv with
//! balances and statistics, reads it back, moves it, and prints what it finds. The output depends on
//! the input alone, so that the native and the WASI build can be compared byte by byte.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;

#[derive(Debug)]
enum LedgerError {
    Io(PathBuf, io::Error),
    Syntax { file: PathBuf, line: usize, text: String },
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LedgerError::Io(path, e) => write!(f, "{}: {:?}", path.display(), e.kind()),
            LedgerError::Syntax { file, line, text } => {
                write!(f, "{}:{}: not an entry: {:?}", file.display(), line, text)
            }
        }
    }
}

#[derive(Default, Clone, PartialEq)]
struct Account {
    entries: u64,
    cents: i128,
    largest: i64,
    amounts: Vec<f64>,
}

impl Account {
    fn add(&mut self, cents: i64) {
        self.entries += 1;
        self.cents += i128::from(cents);
        self.largest = self.largest.max(cents);
        self.amounts.push(cents as f64 / 100.0);
    }

    fn deviation(&self) -> f64 {
        let n = self.amounts.len() as f64;
        let mean = self.amounts.iter().sum::<f64>() / n;
        (self.amounts.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / n).sqrt()
    }
}

fn parse_entry(line: &str) -> Option<(&str, i64)> {
    let mut words = line.split_whitespace();
    let account = words.next()?;
    let (whole, part) = words.next()?.split_once('.')?;
    let units: i64 = whole.parse().ok()?;
    let part: i64 = part.parse().ok()?;
    Some((account, units * 100 + if whole.starts_with('-') { -part } else { part }))
}

fn read_file(path: &Path, accounts: &mut BTreeMap<String, Account>) -> Result<usize, LedgerError> {
    let file = File::open(path).map_err(|e| LedgerError::Io(path.into(), e))?;
    let mut count = 0;
    for (number, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(|e| LedgerError::Io(path.into(), e))?;
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (account, cents) = parse_entry(&line).ok_or_else(|| LedgerError::Syntax {
            file: path.into(),
            line: number + 1,
            text: line.clone(),
        })?;
        accounts.entry(account.to_owned()).or_default().add(cents);
        count += 1;
    }
    Ok(count)
}

/// Text files below `dir`, breadth first, each directory in name order.
fn text_files(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut queue = VecDeque::from([dir.to_path_buf()]);
    while let Some(next) = queue.pop_front() {
        let mut entries = fs::read_dir(&next)?.collect::<io::Result<Vec<_>>>()?;
        entries.sort_by_key(|e| e.file_name());
        for entry in entries {
            let path = entry.path();
            if entry.file_type()?.is_dir() {
                queue.push_back(path);
            } else if path.extension().map_or(false, |x| x == "txt") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

fn write_report(path: &Path, accounts: &BTreeMap<String, Account>) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "account,entries,balance,largest,deviation")?;
    for (name, a) in accounts {
        let sign = if a.cents < 0 { "-" } else { "" };
        let cents = a.cents.unsigned_abs();
        writeln!(
            out,
            "{name},{},{sign}{}.{:02},{},{:.6}",
            a.entries,
            cents / 100,
            cents % 100,
            a.largest,
            a.deviation()
        )?;
    }
    out.flush()
}

/// FNV-1a of a file's tail, to exercise seeking from the end.
fn tail_hash(path: &Path, bytes: i64) -> io::Result<(u64, u64)> {
    let mut file = File::open(path)?;
    let at = file.seek(SeekFrom::End(-bytes))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let hash = tail.iter().fold(0xcbf2_9ce4_8422_2325_u64, |h, &b| {
        (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3)
    });
    Ok((at, hash))
}

fn run(dir: &Path) -> Result<(), LedgerError> {
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |e| LedgerError::Io(path, e)
    };
    let mut accounts = BTreeMap::new();
    for file in text_files(dir).map_err(fail(dir))? {
        let name = file.strip_prefix(dir).unwrap_or(&file).to_path_buf();
        match read_file(&file, &mut accounts) {
            Ok(count) => println!("{}: {} entries", name.display(), count),
            Err(LedgerError::Syntax { line, text, .. }) => {
                println!("{}: stopped at line {}: {:?}", name.display(), line, text)
            }
            Err(e) => return Err(e),
        }
    }

    let reports = dir.join("report");
    fs::create_dir_all(reports.join("old")).map_err(fail(&reports))?;
    let draft = reports.join("draft.csv");
    write_report(&draft, &accounts).map_err(fail(&draft))?;
    let summary = reports.join("summary.csv");
    fs::rename(&draft, &summary).map_err(fail(&draft))?;
    println!("draft left behind: {}", draft.exists());

    let text = fs::read_to_string(&summary).map_err(fail(&summary))?;
    print!("{text}");
    let (at, hash) = tail_hash(&summary, 100).map_err(fail(&summary))?;
    println!("tail from {at}: {hash:016x}");

    let mut log = OpenOptions::new()
        .append(true)
        .create(true)
        .open(reports.join("log"))
        .map_err(fail(&reports))?;
    for line in ["first", "second"] {
        writeln!(log, "{line}").map_err(fail(&reports))?;
    }
    let log_size = fs::metadata(reports.join("log")).map_err(fail(&reports))?.len();
    println!("log: {log_size} bytes");
    fs::remove_dir(reports.join("old")).map_err(fail(&reports))?;
    println!("{:?}", fs::remove_dir(&reports).map_err(|_| "report is not empty"));

    // Hashed with random keys (random_get), printed through an ordered view.
    let by_size: HashMap<u64, usize> = accounts.values().fold(HashMap::new(), |mut m, a| {
        *m.entry(a.entries).or_default() += 1;
        m
    });
    let mut sizes: Vec<_> = by_size.into_iter().collect();
    sizes.sort_unstable();
    println!("accounts by number of entries: {sizes:?}");
    Ok(())
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.len() != 1 {
        eprintln!("usage: ledger DIR");
        process::exit(2);
    }
    if let Err(e) = run(Path::new(&args[0])) {
        println!("ledger: {e}");
        process::exit(3);
    }
}
