// The door.
import { useState } from 'preact/hooks';
import { ApiError, signIn } from '../api';
import { t } from '../i18n';
import { LanguageChoice } from '../parts/frame';

function sentence(error: ApiError): string {
  const words = t().door;
  switch (error.problem.status) {
    case 401: return words.wrong;
    case 429: return words.tooMany;
    case 0: return words.noAnswer;
    default: return error.message;
  }
}

export function LoginPage({ onEntered }: { onEntered: () => void }) {
  const [problem, setProblem] = useState<ApiError | null>(null);
  const [isBusy, setBusy] = useState(false);
  const words = t().door;

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await signIn(String(form.get('login')), String(form.get('password')));
      onEntered();
    } catch (error) {
      setProblem(error instanceof ApiError ? error : new ApiError({ status: -1, title: String(error) }));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="door">
      <form class="panel" onSubmit={submit}>
        <h1><img src="/favicon.svg" alt="" width="40" height="40" />Moment</h1>
        <p class="quiet">{words.about}</p>
        <label>{words.login}<input name="login" autocomplete="username" required autofocus /></label>
        <label>{words.password}<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="problem" role="alert">{problem ? sentence(problem) : ''}</p>
        <button type="submit" class="main-action" disabled={isBusy}>{isBusy ? words.signingIn : words.signIn}</button>
        <p class="quiet small">{words.firstTime} <code>make run</code>. {words.newOne}
          <br /><code>momentctl user password LOGIN</code></p>
        <LanguageChoice />
      </form>
    </main>
  );
}
