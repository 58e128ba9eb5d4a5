import { mount } from 'svelte';
import './app.css';
import Root from './Root.svelte';
import { fileSource, notebookSource, servedSource } from './lib/source';

mount(Root, {
  target: document.getElementById('page')!,
  props: { source: notebookSource(document) ?? fileSource(document) ?? servedSource() },
});
