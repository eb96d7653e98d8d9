package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
)

func completionCommand() *command {
	return &command{
		name: "completion", args: "bash|zsh|fish", local: true, short: "print a script that completes commands and flags",
		long: `
    bash:  source <(ledger completion bash)
    zsh:   source <(ledger completion zsh)
    fish:  ledger completion fish | source`,
		run: runCompletion,
	}
}

func runCompletion(_ context.Context, e *env) error {
	scripts := map[string]func() string{"bash": bash, "zsh": zsh, "fish": fish}
	if len(e.args) != 1 || scripts[e.args[0]] == nil {
		return usagef("completion: a shell is missing; it is bash, zsh or fish")
	}
	fmt.Fprint(e.stdout, scripts[e.args[0]]())
	return nil
}

// flagNames returns the flags of a command, with a hyphen.
func (c *command) flagNames() []string {
	var names []string
	c.set(new(options)).VisitAll(func(f *flag.Flag) { names = append(names, "-"+f.Name) })
	return names
}

// words returns what can follow flags.
func (c *command) words() []string {
	if c.name == "completion" {
		return strings.Split(c.args, "|")
	}
	return nil
}

func commandNames() string {
	var names []string
	for _, c := range commands() {
		names = append(names, c.name)
	}
	return strings.Join(names, " ")
}

// fileFlags take the name of a file.
const fileFlags = "-ledger|-out"

func bash() string {
	var b strings.Builder
	fmt.Fprintf(&b, `_ledger() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "%s -help" -- "$cur"))
    return
  fi
  case $prev in
    %s) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  case ${COMP_WORDS[1]} in
`, commandNames(), fileFlags)
	for _, c := range commands() {
		fmt.Fprintf(&b, "    %s) words=\"%s\" ;;\n", c.name, strings.Join(append(c.flagNames(), c.words()...), " "))
	}
	b.WriteString(`  esac
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
  [ "${#COMPREPLY[@]}" -gt 0 ] || COMPREPLY=($(compgen -f -- "$cur"))
}
complete -F _ledger ledger
`)
	return b.String()
}

func zsh() string {
	var b strings.Builder
	b.WriteString("#compdef ledger\n_ledger() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "      '%s:%s'\n", c.name, shellText(c.short))
	}
	fmt.Fprintf(&b, "    )\n    _describe command commands\n    return\n  fi\n  case $words[CURRENT-1] in\n    %s) _files; return ;;\n  esac\n  case $words[2] in\n", fileFlags)
	for _, c := range commands() {
		fmt.Fprintf(&b, "    %s) compadd -- %s ;;\n", c.name, strings.Join(append(c.flagNames(), c.words()...), " "))
	}
	b.WriteString("  esac\n  [[ $PREFIX == -* ]] || _files\n}\ncompdef _ledger ledger\n")
	return b.String()
}

func fish() string {
	var b strings.Builder
	b.WriteString("complete -c ledger -f\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "complete -c ledger -n __fish_use_subcommand -a %s -d '%s'\n", c.name, shellText(c.short))
		if w := c.words(); w != nil {
			fmt.Fprintf(&b, "complete -c ledger -n '__fish_seen_subcommand_from %s' -a '%s'\n", c.name, strings.Join(w, " "))
		}
		c.set(new(options)).VisitAll(func(f *flag.Flag) {
			fmt.Fprintf(&b, "complete -c ledger -n '__fish_seen_subcommand_from %s' -o %s%s -d '%s'\n", c.name, f.Name, fishValue(f), shellText(usageOf(f)))
		})
	}
	return b.String()
}

// fishValue says that a flag takes a value, and whether it is a file.
func fishValue(f *flag.Flag) string {
	name, _ := flag.UnquoteUsage(f)
	switch {
	case name == "":
		return ""
	case strings.Contains("|"+fileFlags+"|", "|-"+f.Name+"|"):
		return " -r -F"
	}
	return " -x"
}

func usageOf(f *flag.Flag) string {
	_, text := flag.UnquoteUsage(f)
	text, _, _ = strings.Cut(text, "\n")
	return text
}

// shellText makes a text safe between single quotes, and without the colon that
// zsh splits at.
func shellText(s string) string {
	return strings.NewReplacer("'", "’", ":", ",", `\`, "/").Replace(s)
}
