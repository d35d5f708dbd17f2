// Who is signed in, and what they may do.
import { computed, signal } from '@preact/signals';
import type { Role, User } from './api';

// undefined: not known yet; null: nobody.
export const user = signal<User | null | undefined>(undefined);

export const hasRole = (...roles: Role[]): boolean => Boolean(user.value?.roles.some((r) => roles.includes(r)));
export const isMe = (userId: string): boolean => userId !== '' && user.value?.user_id === userId;
export const isAboutMe = (personId: string): boolean => personId !== '' && user.value?.person_id === personId;
// The floor and the live feed are for everybody but operators alone.
export const seesContent = computed(() => hasRole('leader', 'coach', 'agent', 'integrator'));
