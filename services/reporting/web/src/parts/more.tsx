// The end of a list that goes on.
import { t } from '../i18n';
import type { Paged } from '../loading';

export function More({ of }: { of: Pick<Paged<unknown>, 'isMore' | 'more'> }) {
  return of.isMore ? <p><button type="button" onClick={of.more}>{t().action.more}</button></p> : null;
}
