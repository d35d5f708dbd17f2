// A coach's queue, coaching sessions, sampling plans, calibrations.
export const coach = {
  queue: {
    about: 'What waits for you: alerts, disputes, moments to evaluate, and sessions to hold.',
    noAlerts: 'No line is crossed where you look after people.', disputes: 'Disputes to decide', noDisputes: 'Nobody disputes an evaluation that you could decide.',
    samples: 'Moments to evaluate', noSamples: 'No moment is drawn for evaluation. A sampling plan draws them.', drafts: 'Your unreleased evaluations', coaching: 'Coaching planned', noCoaching: 'No session is planned.',
    calibrations: 'Calibrations open to you', noCalibrations: 'No calibration waits for your answers.',
  },
  coaching: {
    title: 'Coaching', about: 'A session between a coach and one person: what it is about, what was agreed, and whether it helped.', back: 'All sessions', which: 'Which sessions', all: 'All',
    none: 'No session here. Plan one about a moment that both of you can look at.', noneMine: 'No session here yet.', plan: 'Plan a session', planTitle: 'Plan a coaching session', editTitle: 'Change what is planned', planned: 'Saved. The person sees it at once.',
    attendee: 'With whom?', topic: 'What is it about?', topicHint: 'One thing that the person can change.', when: 'When?', criterion: 'What should become better?', criterionHint: 'How often it is met before and after the session tells whether it helped.', noCriterion: 'nothing that is measured',
    moments: 'Moments to look at', momentsHint: 'The newest of this person.', noMoments: 'None chosen.', between: (coach: string, attendee: string) => `${coach} with ${attendee}`, at: (when: string) => `at ${when}`,
    edit: 'Change', hold: 'We held it', holdTitle: 'What did you agree?', holdAbout: 'The person reads it and acknowledges it.', heldNow: 'What was agreed is with them.', agreement: 'What was agreed', action: (n: number) => `Action ${n}`, addAction: 'Add an action', due: 'Until', dueAt: (when: string) => `until ${when}`, done: 'done',
    followUp: 'Follow up', followUpTitle: 'What became of it?', followUpAbout: 'Tick what was done, and say in the agreement what came of it.', followedUpNow: 'Followed up.', cancelIt: 'Call it off', cancelTitle: 'Call this session off?', because: 'Why?', cancelledBecause: (why: string) => `Called off: ${why}`,
    agreed: 'What was agreed', notHeld: 'The session was not held yet.', acknowledgeAbout: 'Say that this is what you agreed, or what is different.', comment: 'Comment, if you like', acknowledge: 'That is what we agreed',
    effect: 'Did it help?', noEffect: 'It shows when the session was held and says what should become better.', before: 'Before', after: 'After', rate: (share: string, passed: string, n: string, low: string, high: string) => `${share}: ${passed} of ${n} (95 %: ${low} to ${high})`,
    effectTooEarly: 'there is not enough to compare yet.', effectBetter: 'met more often than before; that is no chance.', effectWorse: 'met less often than before; that is no chance.', effectUnclear: 'no difference that could not be chance. More moments would tell.',
    effectHint: (n: string) => `Up to ${n} moments on each side. The line is where the true share lies with 95 % certainty.`,
  },
  sampling: {
    plans: 'Sampling plans', about: 'Who is looked at, and how often: moments are drawn by chance, first for those who waited longest, so that nobody can choose.', none: 'No plan yet. Without one, people evaluate what catches their eye, and some people never.',
    add: 'New plan', edit: 'Edit plan', name: 'Name', quota: 'Moments per person', quotaHint: 'At most so many in one period.', period: 'In each', zoneHint: 'Periods begin at midnight there, weeks on Monday.', which: 'Which moments', noneIsAll: 'None chosen: all of them.',
    talkAtLeast: 'Talked at least', talkAtMost: 'Talked at most', zeroIsNone: '0: no limit.', seed: 'Seed', seedHint: 'Who draws with the same seed draws the same moments: so a draw can be checked. Empty: one is made.', save: 'Save plan', saved: 'Saved.',
    sentence: (n: number, period: string) => `Moments per person: ${n} each ${period}.`, from: (filters: string) => `From ${filters}.`, everything: 'all moments', atLeast: (time: string) => `talked at least ${time}`, atMost: (time: string) => `talked at most ${time}`, zone: (zone: string) => `Time of ${zone}`, seedIs: (seed: string) => `seed ${seed}`,
    removeTitle: 'Remove this plan?', removeAbout: 'It draws nothing more. What it drew stays. This cannot be undone.', unmet: 'Nothing could be drawn', takenBy: (who: string) => `${who} is at it`,
    debt: (who: string, days: number) => (days === 0 ? `${who} was evaluated the same day` : days === 1 ? `${who} was last evaluated 1 day before` : `${who} was last evaluated ${days} days before`), debtNever: (who: string) => `${who} was never evaluated by a person`,
  },
  calibration: {
    title: 'Calibration', about: 'Several people answer the same standard on the same moments, blind, and then see how far they agree. It counts in no agent’s score.', back: 'All calibrations', none: 'No calibration yet. Begin one to find out whether you all mean the same by your standard.',
    add: 'New calibration', name: 'Name', standard: 'Standard', deadline: 'Answer until', deadlineHint: 'It closes then, or when everybody has answered; within 60 days.', people: 'Who takes part?', peopleHint: 'Two or more.', expert: 'Whose answers are the yardstick?', expertHint: 'Others are shown beside them.', noExpert: 'nobody’s',
    moments: 'Moments', create: 'Begin', created: 'It is open. Those who take part see it in their queue.', until: (when: string) => `until ${when}`, yourTurn: 'your turn', closedAt: (when: string) => `closed ${when}`, progress: (done: number, all: number) => `${done} of ${all} answered`, index: 'yardstick',
    yourAnswers: 'Your answers', blind: 'Nobody sees them before it closes, and you see nobody else’s.', momentNo: (n: number) => `Moment ${n}`, moment: 'Moment', lookAt: 'Look at the moment in a new tab', complete: 'Everything is answered.', submit: 'Submit', submitAgain: 'Submit again', submitted: 'Submitted.',
    cancelIt: 'Call it off', cancelTitle: 'Call this calibration off?', cancelAbout: 'Nobody sees the answers then. This cannot be undone.', results: 'How far do you agree?', within: (within: string, pairs: string) => `${within} of ${pairs} pairs of scores lie within 10 points of each other.`, noPairs: 'No two people answered the same moment.',
    picture: 'Scores by moment: a dot for each person', agreement: 'Same answer', pairs: 'Pairs', kappa: 'Kappa', kappaAbout: 'Kappa takes away what would agree by chance alone: 1 is full agreement, 0 is no more than guessing. It is known for yes and no only.', noKappa: 'not known here', whoSaid: 'Who said what',
    kappas: { none: 'no agreement beyond chance', slight: 'hardly any agreement', fair: 'some agreement', moderate: 'moderate agreement', substantial: 'good agreement', almost: 'almost full agreement' },
  },
};
