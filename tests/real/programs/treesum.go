// treesum DIR: hashes every file below DIR with a pool of goroutines, for tests/real/run.sh.
//
// The output depends on the tree alone (never on the scheduling), so that the native and the WASI
// build can be compared byte by byte. Along the way: channels, select with timers, mutexes, wait
// groups, a context, recovered panics, maps, reflection (JSON), big numbers and a temporary file.
package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Sum is what a worker finds out about one file.
type Sum struct {
	Path    string `json:"path"`
	Size    int64  `json:"size"`
	Lines   int    `json:"lines"`
	SHA256  string `json:"sha256"`
	Gzipped int    `json:"gzipped"`
	Failed  string `json:"failed,omitempty"`
}

func sumFile(root, path string) (sum Sum) {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		panic(err)
	}
	sum.Path = filepath.ToSlash(rel)
	defer func() {
		if r := recover(); r != nil {
			sum.Failed = fmt.Sprint(r)
		}
	}()
	if strings.HasSuffix(path, ".panic") {
		var nobody *Sum
		sum.Size = nobody.Size // a nil dereference: explicit checks on wasm, a signal elsewhere
	}
	data, err := os.ReadFile(path)
	if err != nil {
		panic(err)
	}
	hash := sha256.Sum256(data)
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	if _, err := zip.Write(data); err != nil {
		panic(err)
	}
	if err := zip.Close(); err != nil {
		panic(err)
	}
	sum.Size = int64(len(data))
	sum.Lines = bytes.Count(data, []byte{'\n'})
	sum.SHA256 = hex.EncodeToString(hash[:])
	sum.Gzipped = packed.Len()
	return sum
}

// sumTree walks root in one goroutine and sums the files in several others.
func sumTree(ctx context.Context, root string, workers int) ([]Sum, error) {
	paths := make(chan string)
	sums := make(chan Sum, workers)
	walked := make(chan error, 1)
	go func() {
		defer close(paths)
		walked <- filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			select {
			case paths <- path:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	var pool sync.WaitGroup
	for i := 0; i < workers; i++ {
		pool.Add(1)
		go func() {
			defer pool.Done()
			for path := range paths {
				sums <- sumFile(root, path)
				runtime.Gosched()
			}
		}()
	}
	go func() {
		pool.Wait()
		close(sums)
	}()
	var all []Sum
	for sum := range sums {
		all = append(all, sum)
	}
	sort.Slice(all, func(i, j int) bool { return all[i].Path < all[j].Path })
	return all, <-walked
}

// pipeline squares the numbers below n in a chain of goroutines, one per power.
func pipeline(n, stages int) *big.Int {
	in := make(chan *big.Int)
	go func() {
		for i := 1; i <= n; i++ {
			in <- big.NewInt(int64(i))
		}
		close(in)
	}()
	for s := 0; s < stages; s++ {
		out := make(chan *big.Int)
		go func(in, out chan *big.Int) {
			for x := range in {
				out <- new(big.Int).Mul(x, x)
			}
			close(out)
		}(in, out)
		in = out
	}
	total := new(big.Int)
	for x := range in {
		total.Add(total, x)
	}
	return total
}

// clocks checks that time passes, and that sleepers wake in order.
func clocks() string {
	var order []string
	var mu sync.Mutex
	var sleepers sync.WaitGroup
	var ticks atomic.Int64
	start := time.Now()
	for _, ms := range []int{60, 20, 40} {
		sleepers.Add(1)
		go func(ms int) {
			defer sleepers.Done()
			time.Sleep(time.Duration(ms) * time.Millisecond)
			mu.Lock()
			defer mu.Unlock()
			order = append(order, fmt.Sprint(ms))
		}(ms)
	}
	ticker := time.NewTicker(5 * time.Millisecond)
	for ticks.Load() < 3 {
		<-ticker.C
		ticks.Add(1)
	}
	ticker.Stop()
	sleepers.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	<-ctx.Done()
	return fmt.Sprintf("woke %s, deadline %v, enough time passed: %v", strings.Join(order, " "),
		errors.Is(ctx.Err(), context.DeadlineExceeded), time.Since(start) >= 60*time.Millisecond)
}

// scratch writes, appends, truncates and rereads a file of root, and removes it.
func scratch(root string) (string, error) {
	path := filepath.Join(root, "scratch.tmp")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", err
	}
	defer os.Remove(path)
	defer f.Close()
	for i := 0; i < 1000; i++ {
		fmt.Fprintf(f, "%04d\n", i)
	}
	if err := f.Truncate(2500); err != nil {
		return "", err
	}
	if _, err := f.WriteAt([]byte("#"), 5); err != nil {
		return "", err
	}
	if _, err := f.Seek(-7, io.SeekEnd); err != nil {
		return "", err
	}
	tail, err := io.ReadAll(f)
	if err != nil {
		return "", err
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	lines := 0
	for scan := bufio.NewScanner(f); scan.Scan(); lines++ {
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	_, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	return fmt.Sprintf("%d bytes, %d lines, tail %q, exclusive again: %v", info.Size(), lines, tail,
		errors.Is(err, fs.ErrExist)), nil
}

func run(root string) error {
	sums, err := sumTree(context.Background(), root, 8)
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for _, sum := range sums {
		if err := out.Encode(sum); err != nil {
			return err
		}
	}
	fmt.Println("pipeline:", pipeline(200, 6))
	fmt.Println("clocks:", clocks())
	text, err := scratch(root)
	if err != nil {
		return err
	}
	fmt.Println("scratch:", text)
	fmt.Println("environment:", os.Getenv("GREETING"))
	_, err = os.Stat(filepath.Join(root, "no such file"))
	fmt.Println("missing:", errors.Is(err, fs.ErrNotExist))
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: treesum DIR")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "treesum:", err)
		os.Exit(1)
	}
}
