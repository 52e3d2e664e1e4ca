package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failed, err := command(ctx, os.Args[1:])
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		os.Exit(0)
	case err != nil:
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(2)
	case failed:
		os.Exit(3)
	}
}

// command runs one command line; failed says that errors were counted.
func command(ctx context.Context, args []string) (failed bool, err error) {
	fs := flag.NewFlagSet("loadgen", flag.ContinueOnError)
	var (
		doBench  = fs.Bool("bench", false, "measure -server in a temporary folder and print a table against the goals")
		server   = fs.String("server", "", "with -bench: the latchkey binary")
		dir      = fs.String("dir", "", "with -bench: where to make the temporary folder; must be on a disk")
		cfgPath  = fs.String("config", "", "JSON description of a running provider to measure; one JSON object a line on standard output")
		doCheck  = fs.Bool("check", false, "with -config: functional probe only")
		pidList  = fs.String("server-pids", "", "with -config: comma-separated process ids whose CPU and memory are reported")
		names    = fs.String("scenarios", "all", "comma-separated scenarios, or all")
		connList = fs.String("conns", "16,64", "comma-separated numbers of connections")
		dur      = fs.Duration("duration", 5*time.Second, "measured time per scenario and number of connections, at most 5m")
		warm     = fs.Duration("warmup", 500*time.Millisecond, "unmeasured time before each measurement, at most 1m")
		list     = fs.Bool("list", false, "list the scenarios")
		constant = fs.String("constant", "", "internal, started by -bench: serve the document given on standard input at this address")
	)
	if err := fs.Parse(args); err != nil {
		return false, err
	}
	if fs.NArg() > 0 {
		return false, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if *dur <= 0 || *dur > 5*time.Minute || *warm < 0 || *warm > time.Minute {
		return false, errors.New("-duration is at most 5m and -warmup at most 1m")
	}
	conns, err := parseInts(*connList, 1, 4096)
	if err != nil {
		return false, fmt.Errorf("-conns: %w", err)
	}
	switch {
	case *list:
		for _, s := range scenarios() {
			fmt.Printf("%-20s %s\n", s.Name, s.Doc)
		}
		return false, nil
	case *constant != "":
		return false, serveConstant(*constant, os.Stdin, os.Stdout)
	case *doBench:
		b := &bench{binary: *server, dir: *dir, conns: conns, duration: *dur, warmup: *warm,
			settle: time.Second, hashTime: time.Second, hashCost: pbkdf2Rounds, out: os.Stdout, progress: os.Stderr}
		if b.scenarios, err = pick(*names, benchScenarios); err != nil {
			return false, err
		}
		return b.run(ctx)
	}
	pids, err := parseInts(*pidList, 1, 1<<30)
	if err != nil {
		return false, fmt.Errorf("-server-pids: %w", err)
	}
	var known []string
	for _, s := range scenarios() {
		known = append(known, s.Name)
	}
	chosen, err := pick(*names, known)
	if err != nil {
		return false, err
	}
	cfg, err := loadConfig(*cfgPath)
	if err != nil {
		return false, err
	}
	if _, err := cfg.discover(); err != nil {
		return false, err
	}
	f, err := newFlow(cfg)
	if err != nil {
		return false, err
	}
	lines := json.NewEncoder(os.Stdout)
	if *doCheck {
		c := check(f)
		return len(c.Errors) > 0, lines.Encode(c)
	}
	for _, name := range chosen {
		for _, n := range conns {
			r := run(ctx, f, scenarioNamed(name), n, *warm, *dur, pids)
			if err := ctx.Err(); err != nil {
				return failed, err
			}
			if err := lines.Encode(r); err != nil {
				return failed, err
			}
			r.human(os.Stderr)
			failed = failed || r.Errors > 0
		}
	}
	return failed, nil
}

// pick returns the members of known that a comma-separated list names, in the
// order of known.
func pick(list string, known []string) ([]string, error) {
	if list == "all" {
		return known, nil
	}
	want := split(list)
	for _, n := range want {
		if !slices.Contains(known, n) {
			return nil, fmt.Errorf("unknown scenario %q; known here: %s", n, strings.Join(known, ", "))
		}
	}
	if len(want) == 0 {
		return nil, errors.New("no scenario named")
	}
	return slices.DeleteFunc(slices.Clone(known), func(n string) bool { return !slices.Contains(want, n) }), nil
}

func parseInts(list string, lo, hi int) ([]int, error) {
	var out []int
	for _, s := range split(list) {
		n, err := strconv.Atoi(s)
		if err != nil || n < lo || n > hi {
			return nil, fmt.Errorf("%q is no number from %d to %d", s, lo, hi)
		}
		out = append(out, n)
	}
	return out, nil
}

func split(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}
