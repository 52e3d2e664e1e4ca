package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
)

// completionCommand is a function because it prints the table that holds it.
func completionCommand() command {
	return command{
		name:    "completion",
		args:    "SHELL",
		takes:   1,
		summary: "print the completion script for bash, zsh or fish",
		examples: []string{
			"latchkey completion bash > /etc/bash_completion.d/latchkey",
			"latchkey completion zsh > /usr/local/share/zsh/site-functions/_latchkey",
			"latchkey completion fish > ~/.config/fish/completions/latchkey.fish",
		},
		run: func(_ context.Context, c *call) error {
			printers := map[string]func(io.Writer, []command){"bash": completeBash, "zsh": completeZsh, "fish": completeFish}
			printer, ok := printers[c.args[0]]
			if !ok {
				return usage("there is no completion for %q: use bash, zsh or fish", c.args[0])
			}
			printer(c.stdout, commands())
			return nil
		},
	}
}

// firstWords returns what can follow latchkey, and secondWords what can follow a word of that, in the order of the table.
func firstWords(all []command) (words []string) {
	for _, cmd := range all {
		first, _, _ := strings.Cut(cmd.name, " ")
		if !slices.Contains(words, first) {
			words = append(words, first)
		}
	}
	return words
}

func secondWords(all []command, first string) (words []string) {
	for _, cmd := range all {
		if group, sub, two := strings.Cut(cmd.name, " "); two && group == first {
			words = append(words, sub)
		}
	}
	return words
}

func flagWords(cmd command) (words []string) {
	for _, f := range cmd.flags {
		words = append(words, "--"+f.name)
	}
	return append(words, "--help")
}

// completeBash completes commands, then flags, then files: most values are files.
func completeBash(w io.Writer, all []command) {
	fmt.Fprint(w, `# bash completion for latchkey
_latchkey() {
  local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words=
  if [ "$COMP_CWORD" -eq 1 ]; then
    words="`+strings.Join(firstWords(all), " ")+`"
    COMPREPLY=($(compgen -W "$words" -- "$word"))
    return
  fi
  case $command in
`)
	for _, first := range firstWords(all) {
		if second := secondWords(all, first); len(second) > 0 {
			// A second word that is no command is an argument of the first, as the file of backup is.
			fmt.Fprintf(w, "  %s)\n    if [ \"$COMP_CWORD\" -eq 2 ]; then\n      words=\"%s\"\n    else\n      case ${COMP_WORDS[2]} in %s) command=\"$command ${COMP_WORDS[2]}\" ;; esac\n    fi ;;\n",
				first, strings.Join(second, " "), strings.Join(second, "|"))
		}
	}
	fmt.Fprint(w, "  esac\n  case $command in\n")
	for _, cmd := range all {
		fmt.Fprintf(w, "  %q) words=\"$words %s\" ;;\n", cmd.name, strings.Join(flagWords(cmd), " "))
	}
	fmt.Fprint(w, `  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _latchkey latchkey
`)
}

func completeZsh(w io.Writer, all []command) {
	fmt.Fprint(w, `#compdef latchkey
_latchkey() {
  local name="${words[2]}"
  if (( CURRENT == 2 )); then
    local -a first=(`)
	for _, first := range firstWords(all) {
		fmt.Fprintf(w, "\n      %s", quoteZsh(first+":"+summaryOf(all, first)))
	}
	fmt.Fprint(w, "\n    )\n    _describe command first\n    return\n  fi\n  case $name in\n")
	for _, first := range firstWords(all) {
		second := secondWords(all, first)
		if len(second) == 0 {
			continue
		}
		fmt.Fprintf(w, "  %s)\n    if (( CURRENT == 3 )); then\n      local -a second=(", first)
		for _, sub := range second {
			fmt.Fprintf(w, "\n        %s", quoteZsh(sub+":"+summaryOf(all, first+" "+sub)))
		}
		fmt.Fprint(w, "\n      )\n      _describe command second\n")
		if !slices.ContainsFunc(all, func(cmd command) bool { return cmd.name == first }) { // else files and flags may follow too
			fmt.Fprint(w, "      return\n")
		}
		fmt.Fprintf(w, "    fi\n    case ${words[3]} in %s) name=\"$name ${words[3]}\" ;; esac ;;\n", strings.Join(second, "|"))
	}
	fmt.Fprint(w, "  esac\n  case $name in\n")
	for _, cmd := range all {
		fmt.Fprintf(w, "  %q) _arguments", cmd.name)
		for _, f := range cmd.flags {
			spec := "--" + f.name + "[" + zshText(f.help) + "]"
			if f.value != "" {
				spec = "--" + f.name + "=[" + zshText(f.help) + "]:" + f.value + ":_files"
			}
			if f.many {
				spec = "*" + spec
			}
			fmt.Fprintf(w, " \\\n      %s", quoteZsh(spec))
		}
		fmt.Fprint(w, " \\\n      '--help[explain the command]' '*: :_files' ;;\n")
	}
	fmt.Fprint(w, "  esac\n}\n_latchkey \"$@\"\n")
}

func completeFish(w io.Writer, all []command) {
	fmt.Fprint(w, "# fish completion for latchkey\n")
	for _, first := range firstWords(all) {
		fmt.Fprintf(w, "complete -c latchkey -n __fish_use_subcommand -f -a %s -d %s\n", first, quoteFish(summaryOf(all, first)))
		second := strings.Join(secondWords(all, first), " ")
		for _, sub := range secondWords(all, first) {
			files := " -f"
			if slices.ContainsFunc(all, func(cmd command) bool { return cmd.name == first }) {
				files = "" // they may follow, as the file of backup does
			}
			fmt.Fprintf(w, "complete -c latchkey -n '__fish_seen_subcommand_from %s; and not __fish_seen_subcommand_from %s'%s -a %s -d %s\n",
				first, second, files, sub, quoteFish(summaryOf(all, first+" "+sub)))
		}
	}
	for _, cmd := range all {
		seen := "__fish_seen_subcommand_from " + strings.ReplaceAll(cmd.name, " ", "; and __fish_seen_subcommand_from ")
		for _, f := range cmd.flags {
			value := ""
			if f.value != "" {
				value = " -r"
			}
			fmt.Fprintf(w, "complete -c latchkey -n '%s' -l %s%s -d %s\n", seen, f.name, value, quoteFish(f.help))
		}
	}
}

// summaryOf returns the summary of a command, or for a group what it holds.
func summaryOf(all []command, name string) string {
	for _, cmd := range all {
		if cmd.name == name {
			return cmd.summary
		}
	}
	return strings.Join(secondWords(all, name), ", ")
}

// zshText escapes what ends a description in brackets.
func zshText(s string) string {
	return strings.NewReplacer("[", `\[`, "]", `\]`, ":", `\:`).Replace(s)
}

func quoteZsh(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

func quoteFish(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(s) + "'"
}
