package main

import "syscall"

// leaveNoCore keeps the kernel from writing the memory of this process to disk when it crashes, as a fault of SQLite's C code
// could make it: the master key is in there, and passwords that are being checked (OP-08). Where it cannot be done, the unit's
// LimitCORE=0 is what is left.
func leaveNoCore() { syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}) }
