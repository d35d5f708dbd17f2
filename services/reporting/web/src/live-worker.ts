// One EventSource for all tabs of this browser: six tabs with one each would use up the browser's
// connections to this host (HTTP/1.1) and the seventh would not load at all.
import { Feed, type FeedMessage } from './feed';

declare const self: SharedWorkerGlobalScope;

let feed: Feed | null = null;
const tabs = new Map<MessagePort, number>();
const TAB_SILENT_MS = 60_000;

function broadcast(message: FeedMessage): void {
  if (message.kind === 'reset') feed = null;
  for (const tab of tabs.keys()) tab.postMessage(message);
}

function join(tab: MessagePort, position: string): void {
  tabs.set(tab, Date.now());
  const missed = feed?.since(position);
  if (missed) {
    for (const message of missed) tab.postMessage(message);
    return;
  }
  // Nothing yet, or this tab is further back than what is kept: the feed begins again from there.
  // The other tabs skip what they have seen by its number.
  feed?.close();
  feed = new Feed(position, broadcast);
}

function leave(tab: MessagePort): void {
  tabs.delete(tab);
  if (tabs.size) return;
  feed?.close();
  feed = null;
}

self.onconnect = (event) => {
  const tab = event.ports[0]!;
  tab.onmessage = (message: MessageEvent<{ kind: 'join'; position: string } | { kind: 'leave' | 'here' }>) => {
    if (message.data.kind === 'join') join(tab, message.data.position);
    else if (message.data.kind === 'leave') leave(tab);
    else tabs.set(tab, Date.now());
  };
};

// A tab that crashed says no goodbye.
setInterval(() => {
  for (const [tab, heard] of tabs) if (Date.now() - heard > TAB_SILENT_MS) leave(tab);
}, TAB_SILENT_MS / 2);
