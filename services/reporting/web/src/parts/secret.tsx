// Something that is shown once: to be noted now.
import { useState } from 'preact/hooks';
import { t } from '../i18n';
import { Dialog } from './dialog';

export function Secret({ title, about, secret, onClose }: { title: string; about: string; secret: string; onClose: () => void }) {
  const [said, setSaid] = useState('');
  const words = t().users;
  // Without TLS there is no clipboard; then it is marked and copied by hand.
  const copy = (): void => void navigator.clipboard?.writeText(secret).then(() => setSaid(words.copied), () => undefined);
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{about}</p>
      <p class="secret"><code data-testid="secret">{secret}</code></p>
      <p role="status" class="quiet">{said}</p>
      <div class="buttons"><button type="button" class="main-action" onClick={onClose}>{words.gotIt}</button>
        {'clipboard' in navigator && <button type="button" onClick={copy}>{words.copy}</button>}</div>
    </Dialog>
  );
}
