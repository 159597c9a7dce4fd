"""The phone call: what a caller hears, from the first ring to the goodbye.

A call takes this way through the rooms:

1. `webhooks` takes the provider's HTTP request, verifies its signature and reads the form.
2. `listening` names what was heard: a match, a no_match, a no_input, a command, or words of danger.
3. `conversation` decides on the `flow` (the plan of `nodes`) and with `triage` (the decision table) what comes next. It
   touches nothing: it returns a turn.
4. `webhooks` carries out what the turn asks for through `callbacks.service`, in the transaction that stores the step.
5. After the commit `twiml` renders the turn with the words of `prompts`, and the caller hears it.

A call that the line makes, because an agent calls somebody back, goes the other way: `outgoing` answers when the agent
picks up, and connects the caller once 1 was pressed. `provided` is what both kinds of webhook stand on.

`phone` is the other end of the line: a caller's phone for rehearsals, tests and benchmarks; `rehearsal` shows it in a
terminal and in a browser. `phone_outgoing` is an agent's phone, which rings there (`rehearsal_ringing`).
"""
