// A tab's end of the live feed: through the shared worker where there is one, else directly.
import { Feed, type FeedMessage } from './feed';
import workerUrl from './live-worker?sharedworker&url';

export interface Live {
  close(): void;
}

interface UrlPolicy {
  createScriptURL(url: string): string;
}

// The page's CSP requires trusted types for script URLs; this policy admits our own worker only.
const policy: UrlPolicy =
  (
    globalThis as unknown as {
      trustedTypes?: { createPolicy(name: string, rules: UrlPolicy): UrlPolicy };
    }
  ).trustedTypes?.createPolicy('moment', {
    createScriptURL: (url) => {
      if (url !== workerUrl) throw new TypeError('not our worker');
      return url;
    },
  }) ?? { createScriptURL: (url) => url };

function throughWorker(position: string, deliver: (message: FeedMessage) => void): Live {
  const worker = new SharedWorker(policy.createScriptURL(workerUrl), { type: 'module', name: 'moment-live' });
  worker.port.onmessage = (event: MessageEvent<FeedMessage>) => deliver(event.data);
  worker.port.postMessage({ kind: 'join', position });
  const here = setInterval(() => worker.port.postMessage({ kind: 'here' }), 20_000);
  const leave = (): void => worker.port.postMessage({ kind: 'leave' });
  addEventListener('pagehide', leave);
  return {
    close: () => {
      removeEventListener('pagehide', leave);
      clearInterval(here);
      leave();
      worker.port.close();
    },
  };
}

export function openLive(position: string, deliver: (message: FeedMessage) => void): Live {
  if ('SharedWorker' in globalThis) return throughWorker(position, deliver);
  return new Feed(position, deliver);
}
