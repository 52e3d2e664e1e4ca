package demo

// texts holds every text by language. A text named by a step, a check or a page exists in each; a test fails when one
// does not. Texts about parameters and claims are optional: most names need no words.
var texts = map[string]map[string]string{"en": english, "id": indonesian}
