//! Threads, channels, locks, files and processes of Rust's standard library.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, Arc, Barrier, Condvar, Mutex, RwLock};
use std::time::{Duration, Instant};
use std::{env, fs, io, panic, thread};

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("upper") => return upper(),
        Some("exit") => std::process::exit(42),
        Some("loop") => loop {
            thread::sleep(Duration::from_secs(100));
        },
        _ => {}
    }
    channels();
    locks();
    waiting();
    panics();
    files()?;
    processes()
}

fn channels() {
    let (sender, receiver) = mpsc::channel();
    for i in 0..8 {
        let sender = sender.clone();
        thread::spawn(move || (0..100).for_each(|j| sender.send(i * 100 + j).unwrap()));
    }
    drop(sender);
    println!("received {}", receiver.iter().sum::<i32>());

    let (sender, receiver) = mpsc::sync_channel(2);
    let producer = thread::spawn(move || (0..200).for_each(|i| sender.send(i).unwrap()));
    println!("in order {}", receiver.iter().eq(0..200));
    producer.join().unwrap();
}

fn locks() {
    let map = Arc::new(Mutex::new(BTreeMap::new()));
    let barrier = Arc::new(Barrier::new(8));
    let leaders = AtomicUsize::new(0);
    thread::scope(|scope| {
        for i in 0..8 {
            let (map, barrier, leaders) = (map.clone(), barrier.clone(), &leaders);
            scope.spawn(move || {
                for j in 0..100 {
                    *map.lock().unwrap().entry(j % 10).or_insert(0) += i;
                }
                if barrier.wait().is_leader() {
                    leaders.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
    });
    println!("{:?}, {} leader", map.lock().unwrap(), leaders.into_inner());

    let both = RwLock::new((0, 0));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..100 {
                    let mut written = both.write().unwrap();
                    written.0 += 1;
                    written.1 += 1;
                    drop(written);
                    let read = both.read().unwrap();
                    assert_eq!(read.0, read.1);
                }
            });
        }
    });
    println!("{:?}", both.into_inner().unwrap());
}

fn waiting() {
    let turn = Arc::new((Mutex::new(0), Condvar::new()));
    let players: Vec<_> = (0..2)
        .map(|own| {
            let turn = turn.clone();
            thread::spawn(move || {
                for _ in 0..100 {
                    let guard = turn.0.lock().unwrap();
                    let mut count = turn.1.wait_while(guard, |count| *count % 2 != own).unwrap();
                    *count += 1;
                    turn.1.notify_all();
                }
            })
        })
        .collect();
    players.into_iter().for_each(|player| player.join().unwrap());
    println!("turns {}", turn.0.lock().unwrap());

    let start = Instant::now();
    let guard = turn.0.lock().unwrap();
    let limit = Duration::from_millis(10);
    let (_guard, result) = turn.1.wait_timeout_while(guard, limit, |_| true).unwrap();
    println!("timed out {} {}", result.timed_out(), start.elapsed() >= limit);

    let parked = thread::spawn(thread::park);
    parked.thread().unpark();
    parked.join().unwrap();
}

fn panics() {
    panic::set_hook(Box::new(|_| {}));
    let result = thread::Builder::new().name("fails".into()).spawn(|| panic!("on purpose")).unwrap().join();
    println!("{:?}", result.unwrap_err().downcast_ref::<&str>());
    println!("{}", panic::catch_unwind(|| [1, 2, 3][env::args().count() + 5]).is_err());
    let _ = panic::take_hook();
}

fn files() -> io::Result<()> {
    let root = env::temp_dir().join(format!("threads-{}", std::process::id()));
    fs::create_dir_all(root.join("a/b"))?;
    fs::write(root.join("a/one"), "some text\n".repeat(1000))?;
    fs::copy(root.join("a/one"), root.join("a/b/two"))?;
    fs::rename(root.join("a/b/two"), root.join("a/three"))?;
    std::os::unix::fs::symlink("three", root.join("a/link"))?;
    let mut names: Vec<_> = fs::read_dir(root.join("a"))?.map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    println!("{:?} {}", names, fs::read_to_string(root.join("a/link"))?.len());
    println!("{:?}", fs::remove_dir(root.join("a")).map_err(|error| error.kind()));
    println!("{:?}", fs::File::open(root.join("none")).map_err(|error| error.to_string()).err());
    println!("{}", fs::metadata(root.join("a/one"))?.len());
    fs::remove_dir_all(&root)?;
    println!("{}", root.exists());
    Ok(())
}

fn processes() -> io::Result<()> {
    let own = env::current_exe()?;
    let mut child = Command::new(&own).arg("upper").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut input = child.stdin.take().unwrap();
    let writer = thread::spawn(move || input.write_all("some text\n".repeat(10_000).as_bytes()));
    let output = child.wait_with_output()?;
    writer.join().unwrap()?;
    println!("{} {}", output.status, String::from_utf8_lossy(&output.stdout).matches("SOME TEXT").count());

    println!("{}", Command::new(&own).arg("exit").status()?);
    println!("{:?}", Command::new("/no/such/program").spawn().map_err(|error| error.kind()).err());
    let mut endless = Command::new(&own).arg("loop").spawn()?;
    println!("{:?}", endless.try_wait()?);
    endless.kill()?;
    println!("{}", endless.wait()?);
    Ok(())
}

fn upper() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    io::stdout().write_all(text.to_uppercase().as_bytes())
}
