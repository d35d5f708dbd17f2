// The door.
import { useState } from 'preact/hooks';
import { ApiError, signIn } from '../api';

function sentence(error: ApiError): string {
  switch (error.problem.status) {
    case 401: return 'Login or password is not right.';
    case 429: return 'Too many tries. Please wait a minute and try again.';
    case 0: return 'The server does not answer. Is Moment running? “make run” starts it.';
    default: return error.message;
  }
}

export function LoginPage({ onEntered }: { onEntered: () => void }) {
  const [problem, setProblem] = useState('');
  const [isBusy, setBusy] = useState(false);

  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    try {
      await signIn(String(form.get('login')), String(form.get('password')));
      onEntered();
    } catch (error) {
      setProblem(error instanceof ApiError ? sentence(error) : String(error));
    } finally {
      setBusy(false);
    }
  }

  return (
    <main class="door">
      <form class="panel" onSubmit={submit}>
        <h1><img src="/favicon.svg" alt="" width="40" height="40" />Moment</h1>
        <p class="quiet">Keep your own hands on the customer moment.</p>
        <label>Login<input name="login" autocomplete="username" required autofocus /></label>
        <label>Password<input name="password" type="password" autocomplete="current-password" required /></label>
        <p class="problem" role="alert">{problem}</p>
        <button type="submit" class="main-action" disabled={isBusy}>{isBusy ? 'Signing in…' : 'Sign in'}</button>
        <p class="quiet small">First time? The password was printed once by <code>make run</code>. A new one:
          <br /><code>momentctl user password LOGIN</code></p>
      </form>
    </main>
  );
}
