// Aufgaben des Coachs, Coachings, Stichproben, Kalibrierungen.
import type { coach as english } from '../en/coach';

export const coach: typeof english = {
  queue: {
    about: 'Was auf Sie wartet: Alarme, Anfechtungen, Momente zum Bewerten und Gespräche.',
    noAlerts: 'Bei denen, um die Sie sich kümmern, ist keine Grenze überschritten.', disputes: 'Zu entscheidende Anfechtungen', noDisputes: 'Niemand ficht eine Bewertung an, über die Sie entscheiden könnten.',
    samples: 'Zu bewertende Momente', noSamples: 'Kein Moment ist zum Bewerten gezogen. Ein Stichprobenplan zieht sie.', drafts: 'Ihre noch nicht freigegebenen Bewertungen', coaching: 'Geplante Coachings', noCoaching: 'Kein Gespräch ist geplant.',
    calibrations: 'Kalibrierungen, die auf Sie warten', noCalibrations: 'Keine Kalibrierung wartet auf Ihre Antworten.',
  },
  coaching: {
    title: 'Coaching-Gespräch', about: 'Ein Gespräch zwischen Coach und einer Person: worum es geht, was vereinbart wurde und ob es geholfen hat.', back: 'Alle Gespräche', which: 'Welche Gespräche', all: 'Alle',
    none: 'Hier ist kein Gespräch. Planen Sie eines über einen Moment, den Sie beide ansehen können.', noneMine: 'Hier ist noch kein Gespräch.', plan: 'Gespräch planen', planTitle: 'Ein Coaching planen', editTitle: 'Geplantes ändern', planned: 'Gespeichert. Die Person sieht es sofort.',
    attendee: 'Mit wem?', topic: 'Worum geht es?', topicHint: 'Eine Sache, die die Person ändern kann.', when: 'Wann?', criterion: 'Was soll besser werden?', criterionHint: 'Wie oft es vor und nach dem Gespräch erfüllt ist, sagt, ob es geholfen hat.', noCriterion: 'nichts, was gemessen wird',
    moments: 'Momente zum Ansehen', momentsHint: 'Die neuesten dieser Person.', noMoments: 'Keine gewählt.', between: (coach, attendee) => `${coach} mit ${attendee}`, at: (when) => `am ${when}`,
    edit: 'Ändern', hold: 'Wir haben gesprochen', holdTitle: 'Was haben Sie vereinbart?', holdAbout: 'Die Person liest und bestätigt es.', heldNow: 'Die Vereinbarung ist angekommen.', agreement: 'Was vereinbart wurde', action: (n) => `Schritt ${n}`, addAction: 'Schritt hinzufügen', due: 'Bis', dueAt: (when) => `bis ${when}`, done: 'erledigt',
    followUp: 'Nachhalten', followUpTitle: 'Was ist daraus geworden?', followUpAbout: 'Haken Sie ab, was getan wurde, und sagen Sie in der Vereinbarung, was daraus wurde.', followedUpNow: 'Nachgehalten.', cancelIt: 'Absagen', cancelTitle: 'Dieses Gespräch absagen?', because: 'Warum?', cancelledBecause: (why) => `Abgesagt: ${why}`,
    agreed: 'Was vereinbart wurde', notHeld: 'Das Gespräch hat noch nicht stattgefunden.', acknowledgeAbout: 'Sagen Sie, dass Sie das vereinbart haben, oder was anders ist.', comment: 'Kommentar, wenn Sie mögen', acknowledge: 'Das haben wir vereinbart',
    effect: 'Hat es geholfen?', noEffect: 'Das zeigt sich, wenn gesprochen wurde und gesagt ist, was besser werden soll.', before: 'Vorher', after: 'Nachher', rate: (share, passed, n, low, high) => `${share}: ${passed} von ${n} (95 %: ${low} bis ${high})`,
    effectTooEarly: 'zum Vergleichen ist es noch zu wenig.', effectBetter: 'öfter erfüllt als vorher; das ist kein Zufall.', effectWorse: 'seltener erfüllt als vorher; das ist kein Zufall.', effectUnclear: 'kein Unterschied, der nicht Zufall sein könnte. Mehr Momente würden es zeigen.',
    effectHint: (n) => `Bis zu ${n} Momente auf jeder Seite. Die Linie zeigt, wo der wahre Anteil mit 95 % Sicherheit liegt.`,
  },
  sampling: {
    plans: 'Stichprobenpläne', about: 'Wer wie oft angesehen wird: Momente werden zufällig gezogen, zuerst für die, die am längsten warten, sodass niemand wählen kann.', none: 'Noch kein Plan. Ohne einen bewertet man, was ins Auge fällt, und manche Leute nie.',
    add: 'Neuer Plan', edit: 'Plan bearbeiten', name: 'Bezeichnung', quota: 'Momente je Person', quotaHint: 'Höchstens so viele in einem Zeitraum.', period: 'In jedem Zeitraum', zoneHint: 'Zeiträume beginnen dort um Mitternacht, Wochen am Montag.', which: 'Welche Momente', noneIsAll: 'Keiner gewählt: alle.',
    talkAtLeast: 'Mindestens gesprochen', talkAtMost: 'Höchstens gesprochen', zeroIsNone: '0: keine Grenze.', seed: 'Startwert', seedHint: 'Wer mit demselben Startwert zieht, zieht dieselben Momente: so lässt sich eine Ziehung prüfen. Leer: einer wird gemacht.', save: 'Plan speichern', saved: 'Gespeichert.',
    sentence: (n, period) => `Momente je Person: ${n} pro ${period}.`, from: (filters) => `Aus: ${filters}.`, everything: 'allen Momenten', atLeast: (time) => `mindestens ${time} gesprochen`, atMost: (time) => `höchstens ${time} gesprochen`, zone: (zone) => `Zeit von ${zone}`, seedIs: (seed) => `Startwert ${seed}`,
    removeTitle: 'Diesen Plan entfernen?', removeAbout: 'Er zieht nichts mehr. Was er gezogen hat, bleibt. Das lässt sich nicht rückgängig machen.', unmet: 'Nichts konnte gezogen werden', takenBy: (who) => `${who} ist dabei`,
    debt: (who, days) => (days === 0 ? `${who} wurde am selben Tag bewertet` : days === 1 ? `${who} wurde zuletzt 1 Tag zuvor bewertet` : `${who} wurde zuletzt ${days} Tage zuvor bewertet`), debtNever: (who) => `${who} wurde noch nie von einem Menschen bewertet`,
  },
  calibration: {
    title: 'Kalibrierung', about: 'Mehrere beantworten denselben Standard für dieselben Momente, blind, und sehen dann, wie weit sie sich einig sind. Es zählt in keiner Wertung eines Agenten.', back: 'Alle Kalibrierungen', none: 'Noch keine Kalibrierung. Beginnen Sie eine, um zu erfahren, ob alle mit dem Standard dasselbe meinen.',
    add: 'Neue Kalibrierung', name: 'Bezeichnung', standard: 'Welcher Standard', deadline: 'Antworten bis', deadlineHint: 'Dann endet sie, oder wenn alle geantwortet haben; innerhalb von 60 Tagen.', people: 'Wer nimmt teil?', peopleHint: 'Zwei oder mehr.', expert: 'Wessen Antworten sind der Maßstab?', expertHint: 'Die anderen stehen daneben.', noExpert: 'niemandes',
    moments: 'Momente', create: 'Beginnen', created: 'Sie ist offen. Wer teilnimmt, sieht sie in den eigenen Aufgaben.', until: (when) => `bis ${when}`, yourTurn: 'Sie sind dran', closedAt: (when) => `beendet ${when}`, progress: (done, all) => `${done} von ${all} beantwortet`, index: 'Maßstab',
    yourAnswers: 'Ihre Antworten', blind: 'Niemand sieht sie vor dem Ende, und Sie sehen keine anderen.', momentNo: (n) => `Kontakt ${n}`, moment: 'Kontakt', lookAt: 'Den Moment in einem neuen Tab ansehen', complete: 'Alles ist beantwortet.', submit: 'Abgeben', submitAgain: 'Noch einmal abgeben', submitted: 'Abgegeben.',
    cancelIt: 'Absagen', cancelTitle: 'Diese Kalibrierung absagen?', cancelAbout: 'Dann sieht niemand die Antworten. Das lässt sich nicht rückgängig machen.', results: 'Wie einig sind Sie sich?', within: (within, pairs) => `${within} von ${pairs} Paaren von Wertungen liegen höchstens 10 Punkte auseinander.`, noPairs: 'Keine zwei haben denselben Moment beantwortet.',
    picture: 'Wertungen je Moment: ein Punkt für jede Person', agreement: 'Gleiche Antwort', pairs: 'Paare', kappa: 'Kappa-Wert', kappaAbout: 'Kappa zieht ab, was allein durch Zufall übereinstimmt: 1 ist volle Einigkeit, 0 nicht mehr als Raten. Bekannt ist es nur bei Ja und Nein.', noKappa: 'hier nicht bekannt', whoSaid: 'Wer was gesagt hat',
    kappas: { none: 'nicht mehr Einigkeit als durch Zufall', slight: 'kaum Einigkeit', fair: 'etwas Einigkeit', moderate: 'mäßige Einigkeit', substantial: 'gute Einigkeit', almost: 'fast volle Einigkeit' },
  },
};
