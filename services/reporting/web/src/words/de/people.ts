// Bewertungen, Anfechtungen, Notizen: was Menschen einander zu einem Moment sagen.
import type { people as english } from '../en/people';

export const people: typeof english = {
  evaluation: {
    partly: 'teilweise erfüllt', unacceptable: 'inakzeptabel', byMoment: 'von Moment selbst gemessen', by: (who, when) => `von ${who}, ${when}`,
    criticalScore: (score) => `kritische Wertung ${score}`, fatal: (what, raw) => `${what} wurde verfehlt und ist fatal. Ohne das wäre die Wertung ${raw}.`,
    drawn: (plan, filters) => `Gezogen vom Plan „${plan}“ (${filters}).`, acknowledged: (when) => `bestätigt ${when}`, history: 'Frühere Fassungen',
    acknowledge: 'Ich habe sie gelesen', acknowledgeAbout: 'Damit sagen Sie, dass Sie sie gelesen haben, nicht, dass Sie zustimmen. Anfechten können Sie sie weiterhin.', acknowledgeComment: 'Kommentar, wenn Sie mögen', acknowledgedNow: 'Wer bewertet hat, sieht, dass Sie sie gelesen haben.',
    was: (what) => `War ${what}:`,
    begin: 'Diesen Moment bewerten', beginAbout: 'Was Moment nicht messen kann, kann ein Mensch sagen. Niemand sieht Ihre Bewertung, bevor Sie sie freigeben.',
    yours: 'Ihre Bewertung', yoursAbout: 'Wird laufend gespeichert und bis zur Freigabe von niemandem sonst gesehen.',
    scoreNow: (score) => `Wertung jetzt: ${score}`, scoreNone: 'Noch keine Wertung', fatalNow: (what) => `fatal verfehlt: ${what}`,
    complete: 'Alles ist beantwortet: Sie kann freigegeben werden.', missing: (n) => (n === 1 ? '1 Sache fehlt noch vor der Freigabe' : `${n} Sachen fehlen noch vor der Freigabe`), missingAnswer: 'Beantworten', missingComment: 'Kommentieren',
    overall: 'Zum ganzen Moment', overallHint: 'Was soll davon im Gedächtnis bleiben?', release: 'Freigeben', releaseHint: 'Nach der Freigabe sieht der Agent sie sofort und kann sie anfechten. Zurücknehmen lässt sie sich nicht.', released: 'Freigegeben.',
    discard: 'Verwerfen', discardTitle: 'Ihre Bewertung verwerfen?', discardAbout: 'Was Sie geantwortet haben, ist dann weg. Niemand hat es gesehen.',
  },
  dispute: {
    title: 'Anfechtungen', dispute: 'Das anfechten', about: 'Es entscheidet jemand, der nicht bewertet hat. Ihre Wertung kann nur steigen.', proposed: 'Was wäre richtig?', reason: 'Warum?', reasonHint: 'Was geschah im Moment, das nicht gesehen wurde?',
    send: 'Anfechtung senden', sent: 'Ihre Anfechtung wartet auf eine Entscheidung.', until: (when) => `Einzelne Kriterien können Sie bis ${when} anfechten.`,
    states: { open: 'offen', accepted: 'angenommen', declined: 'abgelehnt' }, asks: (who, proposed, before) => `${who} bittet um „${proposed}“ statt „${before}“`,
    decide: 'Ihre Entscheidung', accept: 'Annehmen: die Antwort ändert sich', decline: 'Ablehnen: die Antwort bleibt', neverFalls: 'Eine Entscheidung senkt nie eine Wertung.', decisionReason: 'Begründung', decisionHint: 'Agent und Bewertende lesen sie.', act: 'Entscheiden', decided: 'Entschieden.',
    decidedBy: (who, when) => `entschieden von ${who}, ${when}`, kept: 'neu gerechnet wäre sie gefallen: die Wertung blieb', waits: 'Wartet auf jemanden, der nicht bewertet hat.', notYours: 'Sie haben bewertet: jemand anderes entscheidet.',
  },
  note: {
    title: 'Notizen', give: 'Rückmeldung geben', none: 'Hier gibt es keine Rückmeldung, die Sie sehen dürfen. Kurz nach dem Moment hilft sie am meisten.', noneMine: 'Noch hat Ihnen niemand etwas zu diesem Moment gesagt.',
    you: 'Sie', somebody: 'der Agent', isPrivate: 'nur zwischen beiden', range: (from, to) => `von ${from} bis ${to}`,
    acknowledge: 'Verstanden', acknowledged: 'Ihre Antwort ist angekommen.', answer: 'Ihre Antwort, wenn Sie mögen', answerHint: (who) => `${who} sieht sie sofort.`,
    kind: 'Was ist es?', whoSees: 'Wer es sieht:', seenPraise: 'alle; es kommt an die Wand, und die Gelobten werden gefragt, wie sie das machen.', seenPrivate: (who) => `${who} und Sie, sonst niemand.`, seenImprovement: (who) => `${who}, deren Coaches und Sie; nie die Wand.`,
    receiver: 'Für wen?', whatBetter: 'Was ginge besser?', whatBetterHint: 'Was geschah, was es beim Kunden bewirkte und was beim nächsten Mal zu versuchen ist.', from: 'Ab Minute', to: 'Bis Minute', timeHint: 'Minuten und Sekunden ab Beginn, etwa 1:30. Leer: der ganze Moment.', timeWrong: 'Minuten und Sekunden, etwa 1:30.',
    criterion: 'Worum es geht', noCriterion: 'nichts Bestimmtes aus dem Standard', sendPraise: 'Lob senden', sendImprovement: 'Notiz senden', given: (who) => `${who} hat Ihre Notiz.`, answersAlert: 'Diese Notiz antwortet auf den Alarm.',
  },
  mine: {
    title: 'Mein Tag', about: 'Was Ihnen gesagt wurde, wie Ihre Momente liefen und was vereinbart ist. Neue Rückmeldung steht sofort hier.',
    feedback: 'Rückmeldung für Sie', noFeedback: 'Nichts wartet auf Ihre Antwort. Sagt jemand etwas zu einem Ihrer Momente, steht es sofort hier.', allNotes: 'Alle Rückmeldungen an Sie',
    praise: 'Was gelobt wurde', noPraise: 'Noch kein Lob.', stories: 'Ihre Geschichte ist gefragt', storyAsked: (who) => `${who} hat Sie gelobt. Wie machen Sie das? Ihre Kollegen wollen es lernen:`,
    evaluations: 'Bewertungen', noEvaluations: 'Keine Bewertung wartet auf Sie.', moments: 'Meine Momente heute', noMoments: 'Heute noch kein Moment von Ihnen. Momente erscheinen hier, während sie geschehen.', measured: 'Gemessen', evaluated: 'Bewertet',
    noCoaching: 'Es ist kein Coaching geplant.', standard: 'Was von jedem Moment erwartet wird, und warum', nobody: 'Ihre Anmeldung ist mit keiner Person des Verzeichnisses verbunden, darum kann hier nichts Ihres sein. Bitten Sie den Betrieb, sie zu verbinden.',
  },
  wall: {
    about: 'Was gut war, wie man es macht und was Leiter sehen. Alle im Haus lesen es.',
    write: 'Beitrag schreiben', all: 'Alle', storiesTab: 'Geschichten', celebrationsTab: 'Feiern', which: 'Welche Beiträge', atom: 'Atom-Feed', none: 'Noch nichts an der Wand. Loben Sie jemanden für einen Moment oder schreiben Sie, was Sie heute gesehen haben.', noneYet: 'Noch nichts an der Wand. Lob für einen Moment erscheint hier.',
    kind: 'Was ist es?', celebrated: 'Wer wird gefeiert?', headline: 'Überschrift, wenn Sie mögen', journalText: 'Was haben Sie gesehen?', journalHint: 'Was Sie gesehen und gelernt haben und was Sie ändern werden.', celebrationText: 'Was gibt es zu feiern?', celebrationHint: 'Sagen Sie, was sie getan haben und was daraus wurde.',
    everybody: 'Alle im Haus sehen es.', post: 'Anschlagen', posted: 'Es hängt an der Wand.', toWhom: (from, to) => `${from} an ${to}`, pinned: 'angeheftet', pin: 'Anheften', unpin: 'Lösen',
    reactions: 'Reaktionen', whoReacted: 'Von wem', comments: (n) => (n === 1 ? '1 Kommentar' : `${n} Kommentare`), comment: 'Ihr Kommentar', sendComment: 'Kommentieren', commentGone: 'Vom Verfasser zurückgenommen.', takeBack: 'Zurücknehmen',
    yourStory: 'Erzählen Sie, wie Sie das machen', howDone: 'Wie machen Sie das?', howDoneHint: 'In Ihren Worten, sodass es jemand Neues versuchen könnte.', tell: 'Erzählen', told: 'Ihre Geschichte hängt an der Wand.', storyOf: 'Wie die Gelobten es machen.', storyTold: 'Wie sie es machen, ist erzählt.',
    withdraw: 'Zurückziehen', withdrawTitle: 'Diesen Beitrag zurückziehen?', withdrawAbout: 'Er wird nicht mehr gezeigt; dass es ihn gab, bleibt festgehalten.', because: 'Warum?', withdrawn: 'Zurückgezogen.',
  },
};
