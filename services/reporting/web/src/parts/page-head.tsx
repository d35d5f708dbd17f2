// The head of every page: its name, a sentence on what it is for, and what can be done with the whole of it.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { takeArrival } from '../router';

export function PageHead({ title, about, aside, children }: {
  title: string; about?: string | undefined; aside?: string | undefined; children?: ComponentChildren;
}) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => { document.title = `${title} – Moment`; }, [title]);
  // Who came here by a link hears where they are.
  useEffect(() => { if (takeArrival()) heading.current?.focus({ preventScroll: true }); }, []);
  return (
    <div class="page-head">
      <div>
        <h1 ref={heading} tabIndex={-1}>{title}{aside && <span class="quiet"> {aside}</span>}</h1>
        {about && <p class="about">{about}</p>}
      </div>
      {children && <div class="actions">{children}</div>}
    </div>
  );
}
