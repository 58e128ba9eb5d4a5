// What is wider than its place scrolls, and is then reached by Tab, as keyboards need it.
import type { Attachment } from 'svelte/attachments';

export const reachable: Attachment<HTMLElement> = (node) => {
  const look = () => {
    if (node.scrollWidth > node.clientWidth) node.tabIndex = 0;
    else node.removeAttribute('tabindex');
  };
  const observer = new ResizeObserver(look);
  observer.observe(node);
  for (const child of node.children) observer.observe(child);
  look();
  return () => observer.disconnect();
};
