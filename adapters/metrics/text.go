package metrics

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// page is a text in the exposition format: families, each with its help, its type and its samples in one block.
type page struct {
	bytes.Buffer
	name string // of the family that is being written
}

// kind is the type of a family.
type kind string

const (
	counter   kind = "counter"
	gauge     kind = "gauge"
	histogram kind = "histogram"
)

// family begins the next family.
func (p *page) family(name string, k kind, help string) {
	p.name = name
	p.WriteString("# HELP " + name + " " + strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(help) + "\n")
	p.WriteString("# TYPE " + name + " " + string(k) + "\n")
}

// sample writes one line of the family. Labels are names and values in turn.
func (p *page) sample(value float64, labels ...string) { p.line("", value, labels) }

func (p *page) line(suffix string, value float64, labels []string) {
	p.WriteString(p.name + suffix)
	for i := 0; i+1 < len(labels); i += 2 {
		p.WriteByte("{,"[min(i, 1)])
		p.WriteString(labels[i] + `="` + escape.Replace(labels[i+1]) + `"`)
	}
	if len(labels) > 0 {
		p.WriteByte('}')
	}
	p.WriteString(" " + number(value) + "\n")
}

var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// distribution writes a histogram. counts are those of each bound alone, with one more for what is beyond.
func (p *page) distribution(bounds []float64, counts []uint64, sum float64, labels ...string) {
	var total uint64
	for i, n := range counts {
		bound := math.Inf(1)
		if i < len(bounds) {
			bound = bounds[i]
		}
		total += n
		p.line("_bucket", float64(total), append(labels[:len(labels):len(labels)], "le", number(bound)))
	}
	p.line("_sum", sum, labels)
	p.line("_count", float64(total), labels)
}

func number(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return "+Inf"
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return strconv.FormatInt(int64(v), 10)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
