// Who may sign in, as what, and how far they see. For operators.
import { useState } from 'preact/hooks';
import { call, path, type Role } from '../api';
import { personName, siteName, teamName } from '../directory';
import { dayTime, list as listed, t } from '../i18n';
import { useCommand, useLoaded } from '../loading';
import { Confirm } from '../parts/confirm';
import { Buttons, Dialog } from '../parts/dialog';
import { ChecksField, Fields, objectionsOf, optionsOf, TextField } from '../parts/form';
import { PageHead } from '../parts/page-head';
import { PersonPicker, SitesPicker, TeamsPicker } from '../parts/pickers';
import { ProblemPanel, Waiting } from '../parts/problem';
import { Secret } from '../parts/secret';
import { toast } from '../parts/toasts';
import type { AddUserResponse, ListUsersResponse, SetPasswordResponse, UserInfo } from '../proto';
import { isMe } from '../session';

interface Given { login: string; name: string; roles: Role[]; sites: string[]; teams: string[]; person_id: string }
const NOBODY: Given = { login: '', name: '', roles: ['agent'], sites: [], teams: [], person_id: '' };

function UserForm({ given, isNew, onClose, onDone }: { given: Given; isNew: boolean; onClose: () => void; onDone: (password: string, who: string) => void }) {
  const [user, setUser] = useState(given);
  const command = useCommand();
  const words = t().users;
  const set = (part: Partial<Given>): void => setUser({ ...user, ...part });
  async function submit(event: Event): Promise<void> {
    event.preventDefault();
    const { login, ...rest } = user;
    let password = '';
    const isDone = await command.run(async (key) => {
      if (isNew) ({ password } = await call<AddUserResponse>('POST', '/api/v1/users', { body: user, key }));
      else await call('PUT', path('/api/v1/users/{}', login), { body: rest, key });
    });
    if (isDone) onDone(password, user.name || login);
  }
  return (
    <Dialog title={isNew ? words.addTitle : words.edit(given.name || given.login)} onClose={onClose}>
      <form onSubmit={submit}>
        <ProblemPanel problem={command.problem} />
        <Fields objections={objectionsOf(command.problem)}>
          {isNew && <TextField name="login" label={words.login} hint={words.loginHint} value={user.login} onValue={(login) => set({ login })} most={64} required />}
          <TextField name="name" label={words.name} value={user.name} onValue={(name) => set({ name })} most={120} />
          <ChecksField name="roles" label={words.roles} values={user.roles} onValues={(roles) => set({ roles })} options={optionsOf(t().roles) as [Role, string][]} />
          <PersonPicker name="person_id" label={words.person} value={user.person_id} onValue={(person_id) => set({ person_id })} />
          <p class="hint">{words.personHint}</p>
          <SitesPicker name="sites" label={words.sites} none={words.everything} values={user.sites} onValues={(sites) => set({ sites })} />
          <TeamsPicker name="teams" label={words.teams} none={words.everything} values={user.teams} onValues={(teams) => set({ teams })} />
        </Fields>
        <Buttons busy={command.isBusy} act={isNew ? words.act : t().action.save} onCancel={onClose} />
      </form>
    </Dialog>
  );
}

type Asked = { what: 'add' } | { what: 'edit' | 'password' | 'remove'; user: UserInfo } | { what: 'secret'; who: string; secret: string };

function Row({ user, ask }: { user: UserInfo; ask: (asked: Asked) => void }) {
  const words = t().users;
  const limits = [...user.sites.map(siteName), ...user.teams.map(teamName)];
  return (
    <tr data-testid="user" data-login={user.login}>
      <th scope="row">{user.name || user.login}{isMe(user.user_id) && <span class="quiet"> ({words.you})</span>}<br /><span class="quiet small">{user.login}</span></th>
      <td>{listed(user.roles.map((r) => t().roles[r] ?? r))}</td>
      <td>{limits.length ? listed(limits) : words.everything}{user.person_id && <><br /><span class="quiet small">{personName(user.person_id)}</span></>}</td>
      <td class="small">{user.last_login_at ? dayTime(user.last_login_at) : words.neverLogin}</td>
      <td><div class="buttons">
        <button type="button" onClick={() => ask({ what: 'edit', user })}>{t().action.edit}<span class="only-heard">: {user.login}</span></button>
        <button type="button" onClick={() => ask({ what: 'password', user })}>{words.newPassword}<span class="only-heard">: {user.login}</span></button>
        {!isMe(user.user_id) && <button type="button" class="danger" onClick={() => ask({ what: 'remove', user })}>{t().action.remove}<span class="only-heard">: {user.login}</span></button>}
      </div></td>
    </tr>
  );
}

function Asking({ asked, close, reload, ask }: { asked: Asked; close: () => void; reload: () => void; ask: (asked: Asked) => void }) {
  const words = t().users;
  if (asked.what === 'secret') return <Secret title={words.password(asked.who)} about={words.passwordAbout} secret={asked.secret} onClose={close} />;
  if (asked.what === 'add')
    return <UserForm given={NOBODY} isNew onClose={close} onDone={(secret, who) => { reload(); ask({ what: 'secret', who, secret }); }} />;
  const { user } = asked;
  const who = user.name || user.login;
  if (asked.what === 'edit')
    return <UserForm given={{ login: user.login, name: user.name, roles: user.roles as Role[], sites: user.sites, teams: user.teams, person_id: user.person_id }} isNew={false} onClose={close} onDone={() => { toast(words.saved(who), '', null, 'good'); reload(); close(); }} />;
  if (asked.what === 'remove')
    return <Confirm title={words.removeTitle(who)} about={words.removeAbout} act={t().action.remove} work={(key) => call('DELETE', path('/api/v1/users/{}', user.login), { key })} onClose={close}
      onDone={() => { toast(words.removed(who)); reload(); close(); }} />;
  let secret = '';
  return <Confirm title={words.newPasswordTitle(who)} about={words.newPasswordAbout} act={words.newPassword} onClose={close} onDone={() => ask({ what: 'secret', who, secret })}
    work={async (key) => { secret = (await call<SetPasswordResponse>('POST', path('/api/v1/users/{}/password', user.login), { body: {}, key })).password; }} />;
}

export function UsersPage() {
  const { data, problem, reload } = useLoaded<ListUsersResponse>('/api/v1/users');
  const [asked, ask] = useState<Asked | null>(null);
  const words = t().users;
  const users = data?.users.filter((u) => !u.disabled) ?? [];
  const gone = data?.users.filter((u) => u.disabled) ?? [];
  return (
    <div class="users">
      <PageHead title={words.title} about={words.about}><button type="button" class="main-action" onClick={() => ask({ what: 'add' })}>{words.add}</button></PageHead>
      {!data ? <Waiting problem={problem} retry={reload} /> : users.length === 0 ? <div class="panel empty"><p>{words.none}</p></div> : (
        <section class="panel" aria-label={words.title}><div class="scroll" tabIndex={0} role="group" aria-label={words.title}><table>
          <thead><tr><th scope="col">{words.name}</th><th scope="col">{words.roles}</th><th scope="col">{words.sites}</th><th scope="col">{words.lastLogin}</th><th scope="col"><span class="only-heard">{t().action.change}</span></th></tr></thead>
          <tbody>{users.map((u) => <Row key={u.user_id} user={u} ask={ask} />)}</tbody></table></div>
          {gone.length > 0 && <p class="quiet small">{words.gone(listed(gone.map((u) => u.name || u.login)))}</p>}</section>)}
      {asked && <Asking key={asked.what} asked={asked} close={() => ask(null)} reload={reload} ask={ask} />}
    </div>
  );
}
