-- What happened to one user is looked for by that user. Sign-ins that go well at an application and refreshed tokens are most
-- of the trail and not asked for in this way: they do not pay for the index.

CREATE INDEX event_user ON event (user)
  WHERE user <> '' AND kind NOT IN ('auth.interaction.start', 'code.issued', 'code.redeemed', 'token.issued', 'token.refresh');
