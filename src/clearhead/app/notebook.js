// A run in a notebook cell. The page is framed in an origin of its own: it reaches nothing of the
// notebook, and the notebook's styles do not reach it. It asks the kernel by messages.
const HELLO = { id: 0, method: "GET", path: "/api/state" };

export default {
  render({ model, el }) {
    let frame = null;
    const show = () => {
      frame = document.createElement("iframe");
      frame.setAttribute("sandbox", "allow-scripts allow-downloads");
      frame.title = model.get("title");
      frame.style.cssText = `width:100%;height:${Number(model.get("height"))}px;border:0`;
      frame.srcdoc = model.get("page");
      el.append(frame);
      // What stands below for those who read without a kernel is the same page.
      for (const one of document.querySelectorAll("iframe[data-clearhead]")) {
        if (one.dataset.clearhead === model.get("token")) one.remove();
      }
    };
    const asked = (event) => {
      if (frame !== null && event.source === frame.contentWindow && event.data?.to === "clearhead") {
        model.send(event.data.question);
      }
    };
    const answered = (answer) => {
      if (answer.id !== HELLO.id) frame?.contentWindow?.postMessage({ from: "clearhead", answer }, "*");
      else if (frame === null) show(); // a kernel is there
    };
    addEventListener("message", asked);
    model.on("msg:custom", answered);
    model.send(HELLO);
    return () => {
      removeEventListener("message", asked);
      model.off("msg:custom", answered);
    };
  },
};
