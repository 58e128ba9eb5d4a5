import { getContext } from 'svelte';
import type { App } from './app.svelte';

/** The app that the component is in. */
export const useApp = (): App => getContext<App>('app');
