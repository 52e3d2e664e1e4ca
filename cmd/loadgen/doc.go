// Command loadgen measures an OpenID Provider with closed-loop workers, and
// carries the bench harness of this project.
//
//	go run ./cmd/loadgen -bench -server ./latchkey [-conns 16,64] [-duration 5s]
//	go run ./cmd/loadgen -config op.json [-check] [-server-pids 123]
//
// It owns the load, the clock and the report: HTTP client, cookie jar, login
// through ordinary HTML forms, histograms, and (with -bench) a provider in a
// temporary folder. It knows the provider only from outside, by its command
// line and by HTTP, and imports nothing of this module. Correctness beyond "the
// answer is the one expected" is left to the tests; micro-benchmarks live
// beside the code they measure.
//
// # How it measures
//
// A worker is one closed loop with its own keep-alive connection and cookie
// jar: N connections are N requests in flight. After the set-up of all workers
// (logins, tokens) and a warm-up comes a fixed window; an operation counts if it
// ends inside. One operation is one request, or a whole flow in code_session and
// code_login. Anything unexpected is an error and never throughput: another
// status, a missing field, a different issuer, nonce or state, a refresh token
// that does not rotate, a page where a session should have made one unnecessary.
//
// The client is hand-written because generator and server share the machine:
// what the generator saves is not missing from the server. Load goes to loopback
// addresses only; any other host is refused.
//
// # The bench
//
// With -bench the program runs `init`, `apply` and `serve` of the given binary in
// a temporary folder on a disk, with one user for each connection and rate limits
// off, and prints one table against the goals. -duration is the measured time of
// a scenario at one number of connections, split over three rounds. The rounds
// are interleaved, and medians are reported, so that a disturbance of the machine
// meets one sample of every scenario instead of all samples of one. What the
// figures are held against is measured in the same rounds: a constant net/http
// handler with the bytes of the discovery document, and the rate at which this
// machine computes the password hash. A missed goal does not fail the command;
// an error does.
//
// # Exit status
//
// 0 measured, 2 nothing could be measured, 3 measured but with errors.
package main
