// The page: who is signed in, in which language, and the frame or the door.
import { render } from 'preact';
import { effect, signal } from '@preact/signals';
import { ApiError, getUser, signOut } from './api';
import { forgetDirectory } from './directory';
import * as floor from './floor';
import { speakReadersLanguage, t } from './i18n';
import { listenForNews } from './news';
import { LoginPage } from './pages/login';
import { Frame } from './parts/frame';
import { forgetToasts } from './parts/toasts';
import { begin } from './router';
import { seesContent, user } from './session';
import './style.css';

const hasTrouble = signal(false);

async function enter(): Promise<void> {
  try {
    user.value = await getUser();
    hasTrouble.value = false;
    if (seesContent.value) await floor.start();
  } catch (error) {
    const status = error instanceof ApiError ? error.problem.status : 0;
    if (status === 401) user.value = null;
    else {
      hasTrouble.value = true;
      setTimeout(enter, 3000);
    }
  }
}

function outside(): void {
  floor.stop();
  // The next one at this screen is somebody else.
  forgetDirectory();
  forgetToasts();
  user.value = null;
}

async function leave(): Promise<void> {
  await signOut().catch(() => undefined);
  begin('/');
  outside();
}

// A session that ran out shows as a 401 to the floor: back to the door.
effect(() => {
  if (floor.failure.value?.problem.status === 401) outside();
});

function App() {
  if (hasTrouble.value) return <p class="trouble" role="alert">{t().frame.noAnswer}</p>;
  if (user.value === undefined) return <p class="trouble" role="status">{t().frame.opening}</p>;
  if (user.value === null) return <LoginPage onEntered={enter} />;
  return <Frame who={user.value} leave={leave} />;
}

await speakReadersLanguage().catch(() => undefined);
listenForNews();
void enter();
render(<App />, document.getElementById('app')!);
