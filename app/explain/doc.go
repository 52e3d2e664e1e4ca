// Package explain owns what an operator is told of a refusal: it finds the event that recorded it, names its cause, and puts
// cause, rule, likely mistake and remedy into words of two languages. It changes nothing and decides nothing; what was
// received and expected it reads from the facts that the refusal left, which hold no secret.
package explain
