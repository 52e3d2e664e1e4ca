-- The same index as in 0005, its condition without a list: for a list of more than two values SQLite builds a table of its
-- own at every insertion, which cost more than the rest of recording an event.

DROP INDEX event_user;
CREATE INDEX event_user ON event (user)
  WHERE user <> '' AND kind <> 'auth.interaction.start' AND kind <> 'code.issued' AND kind <> 'code.redeemed'
    AND kind <> 'token.issued' AND kind <> 'token.refresh';
