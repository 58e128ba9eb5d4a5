// A run in a notebook cell. The page is framed in an origin of its own: it reaches nothing of the
// notebook, and the notebook's styles do not reach it. It asks the kernel by messages.
export default {
  render({ model, el }) {
    const frame = document.createElement("iframe");
    frame.setAttribute("sandbox", "allow-scripts allow-downloads");
    frame.title = model.get("title");
    frame.style.cssText = `width:100%;height:${Number(model.get("height"))}px;border:0`;
    frame.srcdoc = model.get("page");
    const asked = (event) => {
      if (event.source === frame.contentWindow && event.data?.to === "clearhead") {
        model.send(event.data.question);
      }
    };
    const answered = (answer) => frame.contentWindow?.postMessage({ from: "clearhead", answer }, "*");
    addEventListener("message", asked);
    model.on("msg:custom", answered);
    el.append(frame);
    return () => {
      removeEventListener("message", asked);
      model.off("msg:custom", answered);
    };
  },
};
