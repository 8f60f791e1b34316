onload = () => {
  const page = document.getElementById("page").contentDocument;
  const root = page.documentElement;
  page.querySelectorAll("details").forEach(details => { details.open = true; });
  const outside = [], overlapping = [];
  const pictures = page.querySelectorAll("svg.timeline");
  for (const picture of pictures) {
    const labels = [...picture.querySelectorAll("text")].map(text => [text.textContent, text.getBoundingClientRect()])
      .filter(([, box]) => box.width > 0);
    labels.forEach(([text, box], index) => {
      if (box.left < 0 || box.right > root.clientWidth) outside.push(text);
      for (const [other, place] of labels.slice(index + 1)) {
        const across = Math.min(box.right, place.right) - Math.max(box.left, place.left);
        const down = Math.min(box.bottom, place.bottom) - Math.max(box.top, place.top);
        if (across > 1 && down > 2) overlapping.push(text + " / " + other);
      }
    });
  }
  const measured = { pictures: pictures.length, too_wide: root.scrollWidth > root.clientWidth, outside, overlapping };
  document.getElementById("measured").textContent = JSON.stringify(measured);
};
