// The block in the editor: three fields; what readers get is made by the server.
(({ blocks, element, components, blockEditor, i18n }) => {
  const { createElement: make } = element;
  const { __ } = i18n;
  const fields = [
    ['name', __('Slot', 'sponsor-slots'), 'article-top'],
    ['location', __('Place', 'sponsor-slots'), 'Remer,MN'],
    ['topic', __('Topics', 'sponsor-slots'), 'sports,community'],
  ];

  const edit = ({ attributes, setAttributes }) =>
    make(
      'div',
      blockEditor.useBlockProps(),
      make(
        components.Placeholder,
        { icon: 'megaphone', label: __('Sponsor slot', 'sponsor-slots') },
        fields.map(([attribute, label, placeholder]) =>
          make(components.TextControl, {
            key: attribute,
            label,
            placeholder,
            value: attributes[attribute],
            onChange: (value) => setAttributes({ [attribute]: value }),
          }),
        ),
      ),
    );

  blocks.registerBlockType('sponsor-slots/slot', { edit, save: () => null });
})(window.wp);
