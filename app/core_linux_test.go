package app_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"testing"

	"latchkey/app/apptest"
)

// OP-08: a server that crashes leaves no image of its memory, whatever the shell that started it allows.
func TestServerLeavesNoCore(t *testing.T) {
	t.Parallel()
	p := apptest.NewProcess(t)
	p.Prepare = func(cmd *exec.Cmd) {
		cmd.Args = append([]string{"sh", "-c", `ulimit -S -c "$(ulimit -H -c)"; exec "$0" "$@"`, cmd.Path}, cmd.Args[1:]...)
		cmd.Path = "/bin/sh"
	}
	p.Start()
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", p.Pid()))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^Max core file size +0 +0 `).Match(limits) {
		t.Errorf("%s", limits)
	}
}
