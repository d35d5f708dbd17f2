// Evaluations, disputes, notes: what people say to each other about a moment.
export const people = {
  evaluation: {
    partly: 'partly met', unacceptable: 'unacceptable', byMoment: 'measured by Moment by itself', by: (who: string, when: string) => `by ${who}, ${when}`,
    criticalScore: (score: string) => `critical score ${score}`, fatal: (what: string, raw: string) => `${what} was missed and is fatal. Without that the score would be ${raw}.`,
    drawn: (plan: string, filters: string) => `Drawn by the plan “${plan}” (${filters}).`, acknowledged: (when: string) => `acknowledged ${when}`, history: 'Earlier revisions',
    acknowledge: 'I have read it', acknowledgeAbout: 'Acknowledging says that you have read it, not that you agree. You can still dispute it.', acknowledgeComment: 'Comment, if you like', acknowledgedNow: 'Your evaluator sees that you read it.',
    was: (what: string) => `Was ${what}:`,
    begin: 'Evaluate this moment', beginAbout: 'What Moment cannot measure, a person can say. Nobody sees your evaluation until you release it.',
    yours: 'Your evaluation', yoursAbout: 'Saved as you go, and seen by nobody else until you release it.',
    scoreNow: (score: string) => `Score now: ${score}`, scoreNone: 'No score yet', fatalNow: (what: string) => `fatal: ${what}`,
    complete: 'Everything is answered: it can be released.', missing: (n: number) => (n === 1 ? '1 thing is missing before release' : `${n} things are missing before release`), missingAnswer: 'Answer', missingComment: 'Comment on',
    overall: 'On the whole moment', overallHint: 'What should they remember of this?', release: 'Release', releaseHint: 'Released, the agent sees it at once and can dispute it. It cannot be taken back.', released: 'Released.',
    discard: 'Discard', discardTitle: 'Discard your evaluation?', discardAbout: 'What you answered is gone. Nobody has seen it.',
  },
  dispute: {
    title: 'Disputes', dispute: 'Dispute this', about: 'Somebody who did not evaluate decides. Your score can only rise.', proposed: 'What should it be?', reason: 'Why?', reasonHint: 'What happened in the moment that was not seen?',
    send: 'Send dispute', sent: 'Your dispute waits for a decision.', until: (when: string) => `You can dispute single criteria until ${when}.`,
    states: { open: 'open', accepted: 'accepted', declined: 'declined' }, asks: (who: string, proposed: string, before: string) => `${who} asks for “${proposed}” instead of “${before}”`,
    decide: 'Your decision', accept: 'Accept: the answer changes', decline: 'Decline: the answer stays', neverFalls: 'A decision never lowers a score.', decisionReason: 'Reason', decisionHint: 'The agent and the evaluator read it.', act: 'Decide', decided: 'Decided.',
    decidedBy: (who: string, when: string) => `decided by ${who}, ${when}`, kept: 'scored anew it would have fallen: the score was kept', waits: 'Waits for somebody who did not evaluate it.', notYours: 'You evaluated it: somebody else decides.',
  },
  note: {
    title: 'Notes', give: 'Give feedback', none: 'Nobody has said anything about this moment yet. Be the first: soon after the moment it helps most.', noneMine: 'Nobody has said anything to you about this moment yet.',
    you: 'you', somebody: 'the agent', isPrivate: 'between the two', range: (from: string, to: string) => `from ${from} to ${to}`,
    acknowledge: 'Got it', acknowledged: 'Your answer is with them.', answer: 'Your answer, if you like', answerHint: (who: string) => `${who} sees it at once.`,
    kind: 'What is it?', whoSees: 'Who sees it:', seenPraise: 'everybody; it goes on the wall, and the praised are asked how they do it.', seenPrivate: (who: string) => `${who} and you, nobody else.`, seenImprovement: (who: string) => `${who}, their coaches and you; never the wall.`,
    receiver: 'For whom?', whatBetter: 'What could be better?', whatBetterHint: 'What happened, what it did to the customer, and what to try next time.', from: 'From minute', to: 'To minute', timeHint: 'Minutes and seconds from its start, such as 1:30. Empty: the whole moment.', timeWrong: 'Minutes and seconds, such as 1:30.',
    criterion: 'About', noCriterion: 'nothing of the standard in particular', sendPraise: 'Send praise', sendImprovement: 'Send note', given: (who: string) => `${who} has your note.`, answersAlert: 'This note answers the alert.',
  },
};
